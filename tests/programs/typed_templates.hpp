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

namespace shop::templates {

// "*/ } \" ??/ #error  \", "en":
// " Hi {{1}}, */ #error \\"
struct ErrorVariables {
    static constexpr const char* content_sid = "HX497305c5d1aab99f0c43407dc177b6f7";
    static constexpr ::std::array<::std::string_view, 1> variable_names{"1"};
    ::twiliowa::TemplateValue name;  // {{1}}
};
inline ::twiliowa::OutboundTemplate error(
    const ::twiliowa::TextField& to, const ErrorVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = ErrorVariables::content_sid;
    values.name.fill(message.variables, "1");
    return message;
}

// "2fa", "en":
// "Nothing to fill in"
struct Template_2faVariables {
    static constexpr const char* content_sid = "HXa534a6a6b7fd0b63d0bad0da572baaf1";
    static constexpr ::std::array<::std::string_view, 0> variable_names{};
};
inline ::twiliowa::OutboundTemplate template_2fa(
    const ::twiliowa::TextField& to) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = Template_2faVariables::content_sid;
    return message;
}

// "Order update", "en":
// "Order {{1}}"
struct OrderUpdateVariables {
    static constexpr const char* content_sid = "HX0b331645445bcd27ff6c67e81909778a";
    static constexpr ::std::array<::std::string_view, 2> variable_names{"1", "2"};
    ::twiliowa::TemplateValue order;  // {{1}}
    ::twiliowa::TemplateValue link;  // {{2}}
};
inline ::twiliowa::OutboundTemplate order_update(
    const ::twiliowa::TextField& to, const OrderUpdateVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = OrderUpdateVariables::content_sid;
    values.order.fill(message.variables, "1");
    values.link.fill(message.variables, "2");
    return message;
}

// "Reminder!", "en":
// "Your order number is {{1}}, and it arrives by {{2}} at {{3}}"
struct ReminderEnHx910a2decVariables {
    static constexpr const char* content_sid = "HX910a2dec89025cc1beeb8da1658eec67";
    static constexpr ::std::array<::std::string_view, 3> variable_names{"1", "2", "3"};
    ::twiliowa::TemplateValue order_number;  // {{1}}
    ::twiliowa::TemplateValue arrives_by;  // {{2}}
    ::twiliowa::TemplateValue variable_3;  // {{3}}
};
inline ::twiliowa::OutboundTemplate reminder_en_hx910a2dec(
    const ::twiliowa::TextField& to, const ReminderEnHx910a2decVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = ReminderEnHx910a2decVariables::content_sid;
    values.order_number.fill(message.variables, "1");
    values.arrives_by.fill(message.variables, "2");
    values.variable_3.fill(message.variables, "3");
    return message;
}

// "code", "en":
// ""
struct CodeVariables {
    static constexpr const char* content_sid = "HX8b2e02445e4be0f5bf8c59bb003553c1";
    static constexpr ::std::array<::std::string_view, 1> variable_names{"1"};
    ::twiliowa::TemplateValue code;  // {{1}}
};
inline ::twiliowa::OutboundTemplate code(
    const ::twiliowa::TextField& to, const CodeVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = CodeVariables::content_sid;
    values.code.fill(message.variables, "1");
    return message;
}

// "delete", "en":
// "No {{class}}, no {{to}}, no {{content_sid}}, no {{2nd}}, no {{_x}}"
struct Delete_Variables {
    static constexpr const char* content_sid = "HX7476cf8a4baa5dc087b341d690d7a28a";
    static constexpr ::std::array<::std::string_view, 5> variable_names{"2nd", "_x", "class", "content_sid", "to"};
    ::twiliowa::TemplateValue variable_2nd;  // {{2nd}}
    ::twiliowa::TemplateValue x;  // {{_x}}
    ::twiliowa::TemplateValue class_;  // {{class}}
    ::twiliowa::TemplateValue content_sid_value;  // {{content_sid}}
    ::twiliowa::TemplateValue to;  // {{to}}
};
inline ::twiliowa::OutboundTemplate delete_(
    const ::twiliowa::TextField& to, const Delete_Variables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = Delete_Variables::content_sid;
    values.variable_2nd.fill(message.variables, "2nd");
    values.x.fill(message.variables, "_x");
    values.class_.fill(message.variables, "class");
    values.content_sid_value.fill(message.variables, "content_sid");
    values.to.fill(message.variables, "to");
    return message;
}

// "invoice", "en":
// "Your invoice"
struct InvoiceVariables {
    static constexpr const char* content_sid = "HX65ace2685a072c6d70616f2f48dce01c";
    static constexpr ::std::array<::std::string_view, 1> variable_names{"1"};
    ::twiliowa::TemplateValue media;  // {{1}}
};
inline ::twiliowa::OutboundTemplate invoice(
    const ::twiliowa::TextField& to, const InvoiceVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = InvoiceVariables::content_sid;
    values.media.fill(message.variables, "1");
    return message;
}

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

// "reminder", "en":
// "Hi {{1}} and {{2}}, your {{3}}: {{Name}} {{name}} {{10}}"
struct ReminderEnHx491718deVariables {
    static constexpr const char* content_sid = "HX491718de357e3da8cb435c8e74616796";
    static constexpr ::std::array<::std::string_view, 6> variable_names{"1", "2", "3", "10", "Name", "name"};
    ::twiliowa::TemplateValue name_1;  // {{1}}
    ::twiliowa::TemplateValue variable_2;  // {{2}}
    ::twiliowa::TemplateValue variable_3;  // {{3}}
    ::twiliowa::TemplateValue variable_10;  // {{10}}
    ::twiliowa::TemplateValue name_value;  // {{Name}}
    ::twiliowa::TemplateValue name;  // {{name}}
};
inline ::twiliowa::OutboundTemplate reminder_en_hx491718de(
    const ::twiliowa::TextField& to, const ReminderEnHx491718deVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = ReminderEnHx491718deVariables::content_sid;
    values.name_1.fill(message.variables, "1");
    values.variable_2.fill(message.variables, "2");
    values.variable_3.fill(message.variables, "3");
    values.variable_10.fill(message.variables, "10");
    values.name_value.fill(message.variables, "Name");
    values.name.fill(message.variables, "name");
    return message;
}

// "reminder", "es":
// "Recuerdo para {{name}}"
struct ReminderEsVariables {
    static constexpr const char* content_sid = "HX71bb54d8d101b5b9c34d0bff90150280";
    static constexpr ::std::array<::std::string_view, 1> variable_names{"name"};
    ::twiliowa::TemplateValue name;  // {{name}}
};
inline ::twiliowa::OutboundTemplate reminder_es(
    const ::twiliowa::TextField& to, const ReminderEsVariables& values) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = ReminderEsVariables::content_sid;
    values.name.fill(message.variables, "name");
    return message;
}

// "🎉", "en":
// "No letter in its name 🎉"
struct Template_Variables {
    static constexpr const char* content_sid = "HX10e2c46865e9874614d7973c5c2a449c";
    static constexpr ::std::array<::std::string_view, 0> variable_names{};
};
inline ::twiliowa::OutboundTemplate template_(
    const ::twiliowa::TextField& to) {
    ::twiliowa::OutboundTemplate message;
    message.to = to;
    message.content_sid = Template_Variables::content_sid;
    return message;
}

// What the functions were written for: templates->verify_all(expectations()) tells what has changed.
inline ::std::vector<::twiliowa::TemplateExpectation> expectations() {
    return {
        {.content_sid = ErrorVariables::content_sid,
         .variables = {"1"},
         .body = "\012Hi {{1}}, \342\200\256*/ #error \134\134"},
        {.content_sid = Template_2faVariables::content_sid,
         .variables = {},
         .body = "Nothing to fill in"},
        {.content_sid = OrderUpdateVariables::content_sid,
         .variables = {"1", "2"},
         .body = "Order {{1}}"},
        {.content_sid = ReminderEnHx910a2decVariables::content_sid,
         .variables = {"1", "2", "3"},
         .body = "Your order number is {{1}}, and it arrives by {{2}} at {{3}}"},
        {.content_sid = CodeVariables::content_sid,
         .variables = {"1"},
         .body = "** is your verification code."},
        {.content_sid = Delete_Variables::content_sid,
         .variables = {"2nd", "_x", "class", "content_sid", "to"},
         .body = "No {{class}}, no {{to}}, no {{content_sid}}, no {{2nd}}, no {{_x}}"},
        {.content_sid = InvoiceVariables::content_sid,
         .variables = {"1"},
         .body = "Your invoice"},
        {.content_sid = OrderOnItsWayVariables::content_sid,
         .variables = {"1", "2"},
         .category = ::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::utility},
         .body = "Hi {{1}}, your order {{2}} is on its way"},
        {.content_sid = ReminderEnHx491718deVariables::content_sid,
         .variables = {"1", "2", "3", "10", "Name", "name"},
         .body = "Hi {{1}} and {{2}}, your {{3}}: {{Name}} {{name}} {{10}}"},
        {.content_sid = ReminderEsVariables::content_sid,
         .variables = {"name"},
         .body = "Recuerdo para {{name}}"},
        {.content_sid = Template_Variables::content_sid,
         .variables = {},
         .body = "No letter in its name \360\237\216\211"},
    };
}

}  // namespace shop::templates
