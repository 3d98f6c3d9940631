/// @file
/// A program with an inbox and an outbox on one storage, whose clock the test moves, and what its
/// customers write.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "support/webhook_service.hpp"

namespace inbox_test {

using twiliowa::InboxOptions;
using twiliowa::InboxState;
using twiliowa::WebhookParameters;
using twiliowa::WebhookRequest;
using twiliowa::WebhookResponse;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::ManualClock;
using twiliowa::testing::MemoryOutbox;

inline std::string sid_of(int number) {
    char text[35];
    std::snprintf(text, sizeof text, "SM%032d", number);
    return text;
}

inline WebhookRequest message(int number, const std::string& body,
                              const std::string& from = twiliowa::test::customer) {
    return twiliowa::test::Service::request({{"MessageSid", sid_of(number)},
                                             {"AccountSid", twiliowa::test::account},
                                             {"From", from},
                                             {"To", twiliowa::test::sender},
                                             {"Body", body},
                                             {"NumMedia", "0"}});
}

/// Told of tries and webhooks.
struct HeardTries final : twiliowa::Observer {
    struct Entry {
        twiliowa::InboxOutcome outcome;
        int tries;
        std::string reason;
    };
    std::vector<Entry> tries;
    std::vector<twiliowa::WebhookOutcome> webhooks;
    void on_inbox(const twiliowa::InboxResultEvent& event) noexcept override {
        tries.push_back({event.outcome, event.tries, std::string{event.reason}});
    }
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override {
        webhooks.push_back(event.outcome);
    }
};

struct Program {
    explicit Program(InboxOptions asked = {}, twiliowa::WebhookOptions chosen = {},
                     std::shared_ptr<twiliowa::OutboxStorage> kept = {})
        : storage(kept ? std::move(kept) : std::make_shared<MemoryOutbox>(clock)),
          options(std::move(asked)),
          webhook_options(std::move(chosen)) {
        fake = FakeTwilio::with_account({.clock = clock});
        options.clock = clock;
        options.random = [] { return 1.0; };
        options.observer = heard;
        webhook_options.clock = clock;
        webhook_options.observer = heard;
        webhook_options.public_url = twiliowa::PublicUrl::fixed("https://example.com");
        restart();
    }

    /// As a process that was killed comes again: nothing of the former one is written any more.
    void restart() {
        handler.reset();
        inbox.reset();
        outbox.reset();
        outbox = std::make_unique<twiliowa::Outbox>(
            storage,
            twiliowa::OutboxOptions{.client =
                                        [this](std::string_view) {
                                            return twiliowa::OutboxAccount{twiliowa::MessagesClient{
                                                fake->credentials(), fake->client_options()}};
                                        },
                                    .clock = clock});
        inbox = std::make_shared<twiliowa::DurableInbox>(*outbox, options);
        webhook_options.inbox = inbox;
        handler = std::make_unique<twiliowa::WebhookHandler>(
            twiliowa::RequestValidator{twiliowa::test::token}, webhook_options);
        if (set_up) set_up(*handler);
    }

    /// Registers handlers, now and after each restart.
    void use(std::function<void(twiliowa::WebhookHandler&)> handlers) {
        set_up = std::move(handlers);
        set_up(*handler);
    }
    int receive(const WebhookRequest& request) { return handler->handle(request).status; }
    void advance(std::chrono::milliseconds by) { clock->advance(by); }
    /// Until nothing is due, now or later.
    void run_all() {
        while (true) {
            const auto report = inbox->run_until_idle();
            if (!report.next_due) return;
            clock->advance(*report.next_due - clock->now());
        }
    }
    std::int64_t count(InboxState state) const { return inbox->counts().of(state); }
    std::vector<std::string> sent() const {
        std::vector<std::string> bodies;
        for (const auto& each : fake->messages()) bodies.push_back(each.body);
        return bodies;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<HeardTries> heard = std::make_shared<HeardTries>();
    std::shared_ptr<twiliowa::OutboxStorage> storage;
    std::shared_ptr<FakeTwilio> fake;
    InboxOptions options;
    twiliowa::WebhookOptions webhook_options;
    std::function<void(twiliowa::WebhookHandler&)> set_up;
    std::unique_ptr<twiliowa::Outbox> outbox;
    std::shared_ptr<twiliowa::DurableInbox> inbox;
    std::unique_ptr<twiliowa::WebhookHandler> handler;
};

}  // namespace inbox_test
