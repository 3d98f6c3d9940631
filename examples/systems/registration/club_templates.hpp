// The account's templates, a function for each. Written by twiliowa template pull: what is
// changed here is lost when it is written again.
// clang-format off
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include <twiliowa/content/template_value.hpp>
#include <twiliowa/templates.hpp>
#include <twiliowa/types/outbound.hpp>

namespace registration::templates {

// "order_on_its_way", "en":
// "Hi {{1}}, your order {{2}} is on its way"
struct OrderOnItsWayVariables {
    static constexpr const char* content_sid = "HX00000000000000000000000000000001";
    static constexpr ::std::array<::std::string_view, 2> variable_names{"1", "2"};
    ::twiliowa::TemplateValue name;  // {{1}}
    ::twiliowa::TemplateValue order;  // {{2}}
};
inline ::twiliowa::OutboundTemplate order_on_its_way(
    const ::twiliowa::TextField& to, const OrderOnItsWayVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = OrderOnItsWayVariables::content_sid;
    values.name.fill(message.variables, "1");
    values.order.fill(message.variables, "2");
    message.category = ::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::utility};
    return message;
}

// "registration_is_open", "en":
// "Hi {{1}}, registration is open.  Player: {{2}} Team: {{3}} Age group: ..."
struct RegistrationIsOpenVariables {
    static constexpr const char* content_sid = "HXf893a2eefb32555e71c18690ee42c90b";
    static constexpr ::std::array<::std::string_view, 9> variable_names{"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    ::twiliowa::TemplateValue name;  // {{1}}
    ::twiliowa::TemplateValue player;  // {{2}}
    ::twiliowa::TemplateValue team;  // {{3}}
    ::twiliowa::TemplateValue age_group;  // {{4}}
    ::twiliowa::TemplateValue season;  // {{5}}
    ::twiliowa::TemplateValue membership_fee;  // {{6}}
    ::twiliowa::TemplateValue subscription_fee;  // {{7}}
    ::twiliowa::TemplateValue team_manager;  // {{8}}
    ::twiliowa::TemplateValue number;  // {{9}}
};
inline ::twiliowa::OutboundTemplate registration_is_open(
    const ::twiliowa::TextField& to, const RegistrationIsOpenVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = RegistrationIsOpenVariables::content_sid;
    values.name.fill(message.variables, "1");
    values.player.fill(message.variables, "2");
    values.team.fill(message.variables, "3");
    values.age_group.fill(message.variables, "4");
    values.season.fill(message.variables, "5");
    values.membership_fee.fill(message.variables, "6");
    values.subscription_fee.fill(message.variables, "7");
    values.team_manager.fill(message.variables, "8");
    values.number.fill(message.variables, "9");
    message.category = ::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::utility};
    return message;
}

// What the functions were written for: templates->verify_all(expectations()) tells what has changed.
inline ::std::vector<::twiliowa::TemplateExpectation> expectations() {
    return {
        {.content_sid = OrderOnItsWayVariables::content_sid,
         .variables = {"1", "2"},
         .category = ::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::utility},
         .body = "Hi {{1}}, your order {{2}} is on its way"},
        {.content_sid = RegistrationIsOpenVariables::content_sid,
         .variables = {"1", "2", "3", "4", "5", "6", "7", "8", "9"},
         .category = ::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::utility},
         .body = "Hi {{1}}, registration is open.\012\012Player: {{2}}\012Team: {{3}}\012Age group: {{4}}\012Season: {{5}}\012Membership fee: {{6}}\012Subscription fee: {{7}}\012\012Your team manager: {{8}}\012Number: {{9}}\012\012Answer this message to register. It takes a minute."},
    };
}

}  // namespace registration::templates
