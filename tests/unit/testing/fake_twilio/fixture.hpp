/// @file
/// A FakeTwilio in motion, with a client and a handler that notes what it gets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "text/form.hpp"

namespace fake_test {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string field(const Fields& fields, std::string_view name) {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return "(none)";
}

/// The last of them. Where there is none the test fails and the others run on.
template <class List>
auto last_of(const List& list) {
    return list.at(list.size() - 1);
}

/// Everything runs by itself; webhooks are noted, and answered by `answer`.
struct Conversation {
    explicit Conversation(twiliowa::testing::FakeTwilioOptions options = {})
        : fake(start(std::move(options))), client(fake->credentials(), client_options(*fake)) {
        fake->set_webhook(twiliowa::testing::FakeTwilio::demo_sender,
                          "https://example.com/inbound");
        fake->on_webhook([this](const std::string& url, const twiliowa::WebhookRequest& request) {
            const auto fields = twiliowa::detail::parse_form(request.body);
            urls.push_back(url);
            requests.push_back(request);
            if (field(fields, "SmsStatus") == "received") {
                inbound.push_back(fields);
            } else {
                statuses.push_back(field(fields, "MessageStatus"));
                callbacks.push_back(fields);
            }
            return answer ? answer(request) : twiliowa::WebhookResponse{204, {}, {}};
        });
    }
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;
    ~Conversation() { fake->on_webhook({}); }

    static std::shared_ptr<twiliowa::testing::FakeTwilio> start(
        twiliowa::testing::FakeTwilioOptions options) {
        options.lifecycle = twiliowa::testing::Lifecycle::automatic;
        return twiliowa::testing::FakeTwilio::with_account(std::move(options));
    }
    static twiliowa::ClientOptions client_options(twiliowa::testing::FakeTwilio& twilio) {
        auto options = twilio.client_options();
        options.status_callback = "https://example.com/status";
        return options;
    }
    twiliowa::testing::FakeCustomer lee() const { return fake->customer("+447700900123"); }
    /// Sends a template to Lee, and lets it arrive.
    twiliowa::Message send_template() const {
        auto message = client.send_template({
            .to = "+447700900123",
            .content_sid = std::string{twiliowa::testing::FakeTwilio::demo_content_sid},
        });
        fake->run_until_idle();
        return message;
    }
    std::string status_of(const twiliowa::Message& message) const {
        return fake->message(message.sid.str()).value().status.str();
    }

    std::shared_ptr<twiliowa::testing::FakeTwilio> fake;
    twiliowa::MessagesClient client;
    std::function<twiliowa::Result<twiliowa::WebhookResponse>(const twiliowa::WebhookRequest&)>
        answer;
    std::vector<std::string> urls;
    std::vector<twiliowa::WebhookRequest> requests;
    std::vector<Fields> inbound;
    std::vector<Fields> callbacks;
    std::vector<std::string> statuses;
};

}  // namespace fake_test
