/// @file
/// A WebhookHandler with a clock, an observer that remembers, and requests that Twilio signed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "support/form.hpp"

namespace twiliowa::test {

inline const std::string token = "0123456789abcdef0123456789abcdef";
inline const std::string account = "AC00000000000000000000000000000001";
inline const std::string sid = "SM0123456789abcdef0123456789abcdef";
inline const std::string customer = "whatsapp:+447700900123";
inline const std::string sender = "whatsapp:+14155238886";
inline const std::string nothing = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

struct Heard final : Observer {
    struct Entry {
        WebhookOutcome outcome;
        int status;
        std::string kind, message_sid, account_sid, reason, hint;
    };
    std::vector<Entry> entries;  ///< To be read when no handler runs.
    void on_webhook(const WebhookResultEvent& event) noexcept override {
        const std::lock_guard lock{mutex};
        entries.push_back({event.outcome, event.http_status, std::string{event.kind},
                           std::string{event.message_sid}, std::string{event.account_sid},
                           std::string{event.reason}, std::string{event.hint}});
    }

private:
    std::mutex mutex;
};

struct Service {
    std::shared_ptr<testing::ManualClock> clock = std::make_shared<testing::ManualClock>();
    std::shared_ptr<Heard> heard = std::make_shared<Heard>();
    WebhookOptions options = default_options();
    WebhookHandler handler{RequestValidator{token}, options};

    Service() = default;
    template <class Change>
    explicit Service(Change change) {
        change(options);
        handler = WebhookHandler{RequestValidator{token}, options};
    }

    WebhookOptions default_options() const {
        WebhookOptions defaults;
        defaults.public_url = PublicUrl::fixed("https://example.com");
        defaults.clock = clock;
        defaults.observer = heard;
        return defaults;
    }

    static WebhookRequest sign(WebhookRequest request) {
        std::erase_if(request.headers,
                      [](const auto& header) { return header.first == "X-Twilio-Signature"; });
        const auto url = "https://example.com" + request.target;
        request.headers.emplace_back(
            "X-Twilio-Signature", RequestValidator{token}.sign(
                                      {.method = request.method,
                                       .url = url,
                                       .content_type = find_header(request.headers, "Content-Type"),
                                       .body = request.body}));
        return request;
    }

    static WebhookRequest request(const WebhookParameters& fields) {
        WebhookRequest request;
        request.target = "/hook?tenant=7";
        request.peer = "203.0.113.7";
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        for (const auto& [name, value] : fields) {
            append_form_field(request.body, name, value);
        }
        return sign(std::move(request));
    }
};

inline WebhookRequest text(const std::string& body, const std::string& message_sid = sid) {
    return Service::request({{"MessageSid", message_sid},
                             {"AccountSid", account},
                             {"From", customer},
                             {"To", sender},
                             {"Body", body},
                             {"NumMedia", "0"}});
}

inline WebhookRequest status(const std::string& word, const std::string& code = {}) {
    WebhookParameters fields{{"MessageSid", sid},
                             {"AccountSid", account},
                             {"From", sender},
                             {"To", customer},
                             {"MessageStatus", word}};
    if (!code.empty()) fields.emplace_back("ErrorCode", code);
    return Service::request(fields);
}

}  // namespace twiliowa::test
