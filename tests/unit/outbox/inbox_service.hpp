/// @file
/// A program with an inbox and an outbox on one storage, whose clock the test moves, and what its
/// customers write.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "support/webhook_service.hpp"
#include "unit/outbox/crashing_storage.hpp"

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

inline const std::string other_account = "AC00000000000000000000000000000002";

inline WebhookRequest message(int number, const std::string& body,
                              const std::string& from = twiliowa::test::customer,
                              const std::string& account = twiliowa::test::account) {
    return twiliowa::test::Service::request({{"MessageSid", sid_of(number)},
                                             {"AccountSid", account},
                                             {"From", from},
                                             {"To", twiliowa::test::sender},
                                             {"Body", body},
                                             {"NumMedia", "0"}});
}

/// Told of tries and webhooks, by several threads where an inbox has them.
struct HeardTries final : twiliowa::Observer {
    struct Entry {
        twiliowa::InboxOutcome outcome;
        int tries;
        std::string reason;
    };
    std::vector<Entry> tries;
    std::vector<twiliowa::WebhookOutcome> webhooks;
    void on_inbox(const twiliowa::InboxResultEvent& event) noexcept override {
        const std::lock_guard lock{mutex_};
        tries.push_back({event.outcome, event.tries, std::string{event.reason}});
    }
    void on_webhook(const twiliowa::WebhookResultEvent& event) noexcept override {
        const std::lock_guard lock{mutex_};
        webhooks.push_back(event.outcome);
    }

private:
    std::mutex mutex_;
};

struct Program {
    using Storages = std::function<std::shared_ptr<twiliowa::OutboxStorage>(
        const std::shared_ptr<ManualClock>&)>;

    explicit Program(InboxOptions asked = {}, twiliowa::WebhookOptions chosen = {},
                     const Storages& storages = {})
        : storage(storages ? storages(clock) : std::make_shared<MemoryOutbox>(clock)),
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

/// Two customers write, the first handling fails, and the process begins anew: each message is
/// answered once, and a customer's in their order.
inline void answer_in_order(const Program::Storages& storages) {
    Program program{{}, {}, storages};
    std::string seen;
    bool fails = true;
    program.use([&](twiliowa::WebhookHandler& handler) {
        handler.on_text([&](const twiliowa::InboundMessage& inbound) {
            seen += inbound.body + ' ';
            if (std::exchange(fails, false)) throw std::runtime_error{"no"};
            return twiliowa::MessagingResponse{"You said: " + inbound.body};
        });
        handler.on_status(
            [&](const twiliowa::StatusCallback& callback) { seen += callback.status.str() + ' '; });
    });
    program.receive(message(1, "A1"));
    program.receive(message(2, "A2"));
    program.receive(message(3, "B1", "whatsapp:+447700900124"));
    program.receive(twiliowa::test::status("delivered"));
    program.run_all();
    CHECK(seen == "delivered A1 B1 A1 A2 ");
    program.restart();
    CHECK(program.receive(message(1, "A1")) == 200);
    program.run_all();
    program.outbox->run_until_idle();
    CHECK(program.sent().size() == 3);
    CHECK(program.count(InboxState::done) == 4);
}

/// An account floods the inbox before another one's messages come in: these wait for one of its
/// events at most, each; and a customer's are handled in their order.
inline void take_turns(const Program::Storages& storages) {
    constexpr int flood = 300;
    constexpr int customers = 7;
    Program program{{}, {}, storages};
    std::vector<std::string> accounts;
    std::map<std::string, std::vector<int>> seen;
    program.use([&](twiliowa::WebhookHandler& handler) {
        handler.on_text([&](const twiliowa::InboundMessage& inbound) {
            accounts.push_back(inbound.account_sid.str());
            seen[inbound.from].push_back(std::stoi(inbound.body));
        });
    });
    for (int i = 1; i <= flood; ++i) {
        const auto from = "whatsapp:+4477009001" + std::to_string(10 + i % customers);
        REQUIRE(program.receive(message(i, std::to_string(i), from)) == 200);
    }
    for (const int i : {flood + 1, flood + 2}) {
        const auto request = message(i, std::to_string(i), "whatsapp:+447700900199", other_account);
        REQUIRE(program.receive(request) == 200);
    }
    CHECK(program.inbox->run_until_idle().handled == flood + 2);
    const auto first = std::find(accounts.begin(), accounts.end(), other_account);
    const auto second = std::find(std::next(first), accounts.end(), other_account);
    CHECK(first - accounts.begin() <= 1);
    CHECK(second - first <= 2);
    CHECK(seen.size() == std::size_t{customers + 1});
    for (const auto& [from, numbers] : seen) CHECK(std::is_sorted(numbers.begin(), numbers.end()));
}

/// Kills the process at every work that it does with its storage, one after the other, before and
/// after it is written: in the end each event is done, no answer was sent twice, and of what was
/// not sent it is known why. Returns how often.
inline int kill_at_each_work(const Program::Storages& storages) {
    int kills = 0;
    for (const bool writes_last : {false, true}) {
        for (int works = 3;; ++works) {
            Program program{{.max_tries = 50}, {}, storages};
            program.use([](twiliowa::WebhookHandler& handler) {
                handler.on_text([](const twiliowa::InboundMessage& inbound) {
                    return twiliowa::MessagingResponse{"You said: " + inbound.body};
                });
            });
            const auto whole = program.storage;
            const auto dying =
                std::make_shared<outbox_test::CrashingStorage>(whole, works, writes_last);
            program.storage = dying;
            program.restart();
            std::vector<int> answered;
            for (int i = 1; i <= 3; ++i) {
                answered.push_back(program.receive(message(i, "m" + std::to_string(i))));
            }
            static_cast<void>(program.inbox->try_run_until_idle());
            static_cast<void>(program.outbox->try_run_until_idle());
            const bool died = dying->left <= 0;
            program.storage = whole;
            program.restart();
            program.advance(std::chrono::minutes{2});
            for (int i = 1; i <= 3; ++i) {
                // Twilio tries again what was not answered 200.
                if (answered[static_cast<std::size_t>(i - 1)] != 200) {
                    program.receive(message(i, "m" + std::to_string(i)));
                }
            }
            program.run_all();
            program.outbox->run_until_idle();
            CAPTURE(works);
            CHECK(program.count(InboxState::done) == 3);
            for (int i = 1; i <= 3; ++i) {
                const auto job = program.outbox->find("", sid_of(i) + "/1");
                REQUIRE(job);
                const bool sent = job->state == twiliowa::JobState::accepted;
                CHECK((sent || !job->problem.empty()));
            }
            auto sent = program.sent();
            std::sort(sent.begin(), sent.end());
            CHECK(std::adjacent_find(sent.begin(), sent.end()) == sent.end());
            if (!died) break;
            ++kills;
        }
    }
    return kills;
}

/// Puts the storage back to when nothing was in it, after an answer was sent, and fetches what is
/// in Twilio's list.
inline void restore_to_nothing(const Program::Storages& storages) {
    constexpr std::chrono::hours hour{1};
    Program program{{}, {}, storages};
    const auto start = [&] {
        program.options.clients = {
            twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
        program.restart();
    };
    start();
    program.use([](twiliowa::WebhookHandler& handler) {
        handler.on_message([](const twiliowa::InboundMessage& inbound) {
            return twiliowa::MessagingResponse{"You said: " + inbound.body};
        });
    });
    const auto write = [&](const std::string& body) {
        program.fake->receive({.from = twiliowa::test::customer,
                               .to = std::string{FakeTwilio::demo_sender},
                               .body = body});
    };
    const auto answers = [&] {
        auto messages = program.fake->messages();
        std::erase_if(messages,
                      [](const auto& each) { return !each.body.starts_with("You said: "); });
        return messages;
    };
    const auto begin = program.clock->now();
    const auto handle_all = [&] {
        program.inbox->catch_up(begin);
        program.run_all();
        program.outbox->run_until_idle();
    };
    write("first");
    handle_all();
    REQUIRE(answers().size() == 1);
    program.advance(hour);
    write("meanwhile");
    program.storage.reset();
    program.storage = storages(program.clock);
    start();
    program.outbox->try_suspect(twiliowa::TimePoint{}).value();
    program.advance(hour);
    handle_all();
    REQUIRE(answers().size() == 1);
    auto jobs = program.outbox->list({});
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].state == twiliowa::JobState::accepted);
    CHECK(jobs[0].sid == answers().front().sid);
    // The other was not sent, so far as the list shows: a person decides.
    program.advance(hour);
    program.outbox->run_until_idle();
    jobs = program.outbox->list({});
    CHECK(jobs[1].state == twiliowa::JobState::held);
    CHECK(jobs[1].suspect);
    // What arrives from now on is answered as ever.
    write("afterwards");
    handle_all();
    REQUIRE(answers().size() == 2);
    CHECK(answers().front().body == "You said: afterwards");
}

}  // namespace inbox_test
