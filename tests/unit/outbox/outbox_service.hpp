/// @file
/// A program with an outbox in memory, and a Twilio whose clock is the outbox's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/memory_outbox.hpp>

namespace outbox_test {

using twiliowa::EnqueuedJob;
using twiliowa::JobOptions;
using twiliowa::JobOutcome;
using twiliowa::JobState;
using twiliowa::MessagesClient;
using twiliowa::OutboundText;
using twiliowa::Outbox;
using twiliowa::OutboxAccount;
using twiliowa::OutboxOptions;
using twiliowa::StatusCallback;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::ManualClock;
using twiliowa::testing::MemoryOutbox;

inline constexpr auto customer = "+447700900123";

struct Service {
    explicit Service(OutboxOptions asked = {}, twiliowa::ClientOptions chosen = {},
                     twiliowa::testing::FakeTwilioOptions fake_options = {}) {
        fake_options.clock = clock;
        fake = FakeTwilio::with_account(fake_options);
        storage = std::make_shared<MemoryOutbox>(clock);
        options = std::move(asked);
        auto client_options = fake->client_options();
        client_options.opt_outs = chosen.opt_outs;
        client_options.rate_limiter = chosen.rate_limiter;
        client_options.observer = chosen.observer;
        client_options.retry = chosen.retry;
        client_options.retry.max_attempts = 1;
        client = std::make_unique<MessagesClient>(fake->credentials(), client_options);
        options.clock = clock;
        options.random = [] { return 0.5; };
        if (options.status_callback.empty()) options.status_callback = "https://a.example/status";
        if (!options.client) {
            options.client = [this](std::string_view) { return OutboxAccount{*client}; };
        }
        restart();
    }

    void restart() {
        outbox.reset();
        outbox = std::make_unique<Outbox>(wrapped ? wrapped() : storage, options);
        if (handler) outbox->on_outcome(handler);
    }
    EnqueuedJob enqueue(std::string body = "Hi", JobOptions job = {}) {
        return outbox->enqueue(OutboundText{.to = customer, .body = body}, job);
    }
    twiliowa::Job job(const EnqueuedJob& enqueued) {
        return outbox->try_find(enqueued.id).value().value();
    }
    JobState state(const EnqueuedJob& enqueued) { return job(enqueued).state; }
    std::size_t at_twilio() const { return fake->messages().size(); }
    void advance(std::chrono::milliseconds by) { clock->advance(by); }
    /// What Twilio would tell the URL of the message that was created last.
    StatusCallback callback(std::string_view status) {
        return callback_of(fake->messages().front(), status);
    }
    StatusCallback callback_of(const twiliowa::Message& message, std::string_view status) const {
        StatusCallback told;
        told.sid = message.sid;
        told.account_sid = twiliowa::AccountSid{message.account_sid};
        told.status = twiliowa::MessageStatus{status};
        told.from = message.from;
        told.to = message.to;
        for (const auto& [name, value] : fake->parameters(message.sid.str())) {
            if (name != "StatusCallback") continue;
            const auto marker = value.find("twj=");
            if (marker != std::string::npos) {
                told.query = {{"twj", value.substr(marker + 4, 32)}};
            }
        }
        return told;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FakeTwilio> fake;
    std::shared_ptr<MemoryOutbox> storage;
    /// What the outbox is given instead of `storage`, if not null.
    std::function<std::shared_ptr<twiliowa::OutboxStorage>()> wrapped;
    std::unique_ptr<MessagesClient> client;
    OutboxOptions options;
    std::unique_ptr<Outbox> outbox;
    std::function<void(const JobOutcome&)> handler;
};

}  // namespace outbox_test
