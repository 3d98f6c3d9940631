#include "notifications.hpp"

#include <algorithm>
#include <utility>

#include <twiliowa/types/phone_number.hpp>

#include "support/members.hpp"

namespace shop {

namespace wa = twiliowa;
using nlohmann::json;

std::string line_at(const json& body, const char* name) {
    auto line = support::words_at(body, name).value();
    if (line.empty()) wa::Error::invalid_request(name, "is missing or empty").raise();
    const bool is_line = line.size() <= 60 && std::none_of(line.begin(), line.end(), [](char c) {
                             return static_cast<unsigned char>(c) < 0x20;
                         });
    if (!is_line) wa::Error::invalid_request(name, "is not 1 to 60 bytes on one line").raise();
    return line;
}

std::string Notifications::recipient(const json& body) const {
    return wa::PhoneNumber::parse(line_at(body, "to"), options_.country, "to").value().e164();
}

/// Each of them has the order's number in it. Whether the 24 hours are open is seen when it is
/// sent; and where WhatsApp knows better than we do, the template follows.
wa::NewJob Notifications::about_order(const json& body, const std::string& key,
                                      const std::string& text, wa::OutboundTemplate content) const {
    content.from = options_.sender;
    content.category = wa::TemplateCategory{wa::TemplateCategory::utility};
    wa::OutboundMessage message = wa::OutboundText{.to = recipient(body),
                                                   .body = text,
                                                   .from = options_.sender,
                                                   .fallback_content_sid = content.content_sid,
                                                   .fallback_variables = content.variables};
    message.category = content.category;
    wa::NewJob job{.message = std::move(message),
                   .options = {.key = key, .tag = "order " + line_at(body, "order")}};
    job.options.fallbacks = {
        {.message = std::move(content), .when = wa::FallbackWhen::window_closed}};
    if (!options_.sms_sender.empty()) {
        job.options.fallbacks.push_back(
            {.message = wa::OutboundText{.body = text, .from = options_.sms_sender}});
    }
    return job;
}

wa::NewJob Notifications::confirmation(const json& body) const {
    const auto order = line_at(body, "order");
    auto job =
        about_order(body, "confirmation/" + order, "Thank you for your order #" + order + '.',
                    {.content_sid = options_.confirmation_template, .variables = {{"1", order}}});
    job.options.lane = wa::Lane::high;
    return job;
}

wa::NewJob Notifications::status(const json& body) const {
    const auto order = line_at(body, "order");
    const auto status = line_at(body, "status");
    return about_order(
        body, "status/" + order + '/' + status, "Your order #" + order + " is now " + status + '.',
        {.content_sid = options_.status_template, .variables = {{"1", order}, {"2", status}}});
}

wa::NewJob Notifications::promotion(const json& body) const {
    const auto to = recipient(body);
    const auto code = line_at(body, "code");
    const auto discount = body.value("discount", json{});
    if (!discount.is_number_integer() || discount < 1 || discount > 100) {
        wa::Error::invalid_request("discount", "is no whole number from 1 to 100").raise();
    }
    return {
        .message =
            wa::OutboundTemplate{.to = to,
                                 .content_sid = options_.promotion_template,
                                 .variables = {{"1", discount.dump()}},
                                 .from = options_.sender,
                                 .category = wa::TemplateCategory{wa::TemplateCategory::marketing}},
        .options = {.key = "promotion/" + code + '/' + to, .tag = "promotion " + code}};
}

}  // namespace shop
