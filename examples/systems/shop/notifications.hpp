// What the shop writes about orders and offers, made of what the back end says.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <twiliowa/outbox/outbox.hpp>

namespace shop {

/// The senders, and the content SIDs of the templates.
struct NotificationOptions {
    std::string sender = {};      ///< On WhatsApp.
    std::string sms_sender = {};  ///< Empty: nobody gets an SMS.
    std::string country = {};     ///< Whose numbers are written without a country code.
    std::string confirmation_template = {};
    std::string status_template = {};
    std::string promotion_template = {};
};

/// All functions throw InvalidRequestError, naming the member that is wrong.
class Notifications {
public:
    explicit Notifications(NotificationOptions options) : options_(std::move(options)) {}

    /// `{"to", "order"}`: as text within the 24 hours, else as a template, else as an SMS.
    twiliowa::NewJob confirmation(const nlohmann::json& body) const;
    /// `{"to", "order", "status"}`: the same.
    twiliowa::NewJob status(const nlohmann::json& body) const;
    /// `{"to", "discount", "code"}`: a template, and no SMS: on WhatsApp they have agreed to it.
    twiliowa::NewJob promotion(const nlohmann::json& body) const;

    /// The member `to`, as people write numbers: `+44...`.
    std::string recipient(const nlohmann::json& body) const;

private:
    twiliowa::NewJob about_order(const nlohmann::json& body, const std::string& key,
                                 const std::string& text, twiliowa::OutboundTemplate content) const;

    NotificationOptions options_;
};

/// A member of 1 to 60 bytes on one line. Numbers are taken as they are written.
std::string line_at(const nlohmann::json& body, const char* name);

}  // namespace shop
