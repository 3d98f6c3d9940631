/// What accounts of one inbox owe each other: turns, room, workers, and no waiting for who is away.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/state/opt_outs.hpp>

#include "outbox/account_waits.hpp"
#include "unit/outbox/inbox_service.hpp"

namespace inbox_turns_test {

using namespace std::chrono_literals;
using inbox_test::FakeTwilio;
using inbox_test::InboxOptions;
using inbox_test::InboxState;
using inbox_test::message;
using inbox_test::other_account;
using inbox_test::Program;
using twiliowa::InboundMessage;
using twiliowa::InboxAccount;
using twiliowa::InboxAnswer;
using twiliowa::InboxOutcome;
using twiliowa::MessagesClient;
using twiliowa::MonotonicTime;
using twiliowa::StatusCallback;
using twiliowa::WebhookHandler;
using twiliowa::WebhookOutcome;

namespace {

const auto& account = twiliowa::test::account;
constexpr auto other_customer = "whatsapp:+447700900124";

std::string number(int i) {
    return "whatsapp:+44770090" + std::to_string(1000 + i);
}

/// Handlers of one account that do not end before they are let go.
class Gate {
public:
    void pass() {
        std::unique_lock lock{mutex_};
        most_ = std::max(most_, ++inside_);
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
        --inside_;
    }
    void open() {
        {
            const std::lock_guard lock{mutex_};
            open_ = true;
        }
        changed_.notify_all();
    }
    void await(int inside) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return inside_ >= inside; });
    }
    int most() {
        const std::lock_guard lock{mutex_};
        return most_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int inside_ = 0;
    int most_ = 0;
    bool open_ = false;
};

/// An account's handlers hang; those of others are counted.
struct HangingAccount {
    explicit HangingAccount(InboxOptions options) : program(std::move(options)) {
        program.use([this](WebhookHandler& handler) {
            handler.on_text([this](const InboundMessage& inbound) {
                if (inbound.account_sid.str() == account) return gate.pass();
                ++others;
                others.notify_all();
            });
            handler.on_status([this](const StatusCallback&) {
                ++statuses;
                statuses.notify_all();
            });
        });
    }
    void flood(int messages) {
        for (int i = 1; i <= messages; ++i) {
            REQUIRE(program.receive(message(i, "Hi", number(i))) == 200);
        }
    }
    void receive_other(int i) {
        REQUIRE(program.receive(message(i, "Hi", other_customer, other_account)) == 200);
    }
    static void await(std::atomic<int>& count, int wanted) {
        for (int now = count; now < wanted; now = count) count.wait(now);
    }

    Program program;
    Gate gate;
    std::atomic<int> others{0};
    std::atomic<int> statuses{0};
};

/// What the program says of accounts, which a test changes.
struct Accounts {
    explicit Accounts(InboxOptions options = {}) {
        options.account = [this](std::string_view sid) {
            asked.emplace_back(sid);
            if (fails && sid == account) throw std::runtime_error{"the secret store is away"};
            return sid == account ? says : InboxAccount::here;
        };
        program = std::make_unique<Program>(std::move(options));
        program->use([this](WebhookHandler& handler) {
            handler.on_text([this](const InboundMessage& inbound) { seen += inbound.body + ' '; });
            handler.on_status([this](const StatusCallback& c) { seen += c.status.str() + ' '; });
        });
    }
    /// How often that account was asked for since.
    std::size_t times_asked() {
        const auto times = std::count(asked.begin(), asked.end(), account);
        asked.clear();
        return static_cast<std::size_t>(times);
    }

    InboxAccount says = InboxAccount::here;
    bool fails = false;
    std::vector<std::string> asked;
    std::string seen;
    std::unique_ptr<Program> program;
};

}  // namespace

TEST_CASE("an account that floods the inbox delays another's event by one of its own") {
    inbox_test::take_turns({});
}

TEST_CASE("many accounts with one event each take turns with one that has many") {
    Program program;
    std::vector<std::string> order;
    program.use([&](WebhookHandler& handler) {
        handler.on_text(
            [&](const InboundMessage& inbound) { order.push_back(inbound.account_sid.str()); });
    });
    for (int i = 1; i <= 50; ++i) program.receive(message(i, "Hi", number(i)));
    for (int i = 10; i < 40; ++i) {
        const auto sid = "AC000000000000000000000000000000" + std::to_string(i);
        program.receive(message(100 + i, "Hi", number(i), sid));
    }
    program.run_all();
    REQUIRE(order.size() == 80);
    // Once around are all others, and this one once.
    CHECK(std::count(order.begin(), order.begin() + 31, account) == 1);
}

TEST_CASE("an account may have a part of the backlog, and is refused beyond it alone") {
    Program program{{.max_waiting = 100, .max_waiting_per_account = 2}};
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    CHECK(program.receive(message(1, "A1", number(1))) == 200);
    CHECK(program.receive(message(2, "A2", number(2))) == 200);
    CHECK(program.receive(message(3, "A3", number(3))) == 503);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::inbox_full);
    const auto answer = program.handler->handle(message(3, "A3", number(3)));
    CHECK(answer.status == 503);
    // What is there is a duplicate, and others have their own.
    CHECK(program.receive(message(2, "A2", number(2))) == 200);
    CHECK(program.receive(message(4, "B1", number(4), other_account)) == 200);
    CHECK(program.receive(message(5, "B2", number(5), other_account)) == 200);
    CHECK(program.receive(message(6, "B3", number(6), other_account)) == 503);
    // A second later it is counted anew, and is as it was.
    program.advance(2s);
    CHECK(program.receive(message(3, "A3", number(3))) == 503);
    program.run_all();
    CHECK(program.receive(message(3, "A3", number(3))) == 200);
    CHECK(program.receive(message(6, "B3", number(6), other_account)) == 200);
}

TEST_CASE("a process that begins anew counts what waits of an account") {
    Program program{{.max_waiting_per_account = 1}};
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    CHECK(program.receive(message(1, "A1", number(1))) == 200);
    program.restart();
    CHECK(program.receive(message(2, "A2", number(2))) == 503);
    CHECK(program.receive(message(3, "B1", number(3), other_account)) == 200);
}

TEST_CASE("an account whose handlers hang leaves workers to others") {
    HangingAccount hanging{{.workers = 6, .workers_per_account = 3}};
    hanging.flood(10);
    hanging.program.inbox->start();
    // Of its three, one is left to what is no message.
    hanging.gate.await(2);
    for (int i = 101; i <= 110; ++i) hanging.receive_other(i);
    HangingAccount::await(hanging.others, 10);
    REQUIRE(hanging.program.receive(twiliowa::test::status("sent")) == 200);
    HangingAccount::await(hanging.statuses, 1);
    CHECK(hanging.gate.most() == 2);
    hanging.gate.open();
    hanging.program.inbox->stop();
}

TEST_CASE("without a word an account has half of the workers once there is another") {
    HangingAccount hanging{{.workers = 8}};
    hanging.flood(10);
    hanging.receive_other(100);
    hanging.program.inbox->start();
    HangingAccount::await(hanging.others, 1);
    hanging.gate.await(3);
    hanging.receive_other(101);
    HangingAccount::await(hanging.others, 2);
    CHECK(hanging.gate.most() == 3);
    hanging.gate.open();
    hanging.program.inbox->stop();
}

TEST_CASE("an account that is alone has all workers but the one of statuses") {
    HangingAccount hanging{{.workers = 4}};
    hanging.flood(10);
    hanging.program.inbox->start();
    hanging.gate.await(3);
    hanging.gate.open();
    hanging.program.inbox->stop();
    CHECK(hanging.gate.most() == 3);
}

TEST_CASE("events of an account that cannot be had wait, and cost no try and nobody else's time") {
    Accounts accounts;
    auto& program = *accounts.program;
    accounts.says = InboxAccount::not_now;
    SUBCASE("as the program says") {}
    SUBCASE("as its function throws") {
        accounts.fails = true;
    }
    for (int i = 1; i <= 5; ++i) {
        REQUIRE(program.receive(message(i, "A" + std::to_string(i), number(i))) == 200);
    }
    REQUIRE(program.receive(message(10, "B1", other_customer, other_account)) == 200);
    accounts.times_asked();
    const auto begin = program.clock->now();
    auto report = program.inbox->run_until_idle();
    CHECK(accounts.seen == "B1 ");
    // Asked for once, and not for each event; nor are the others taken up to be put back.
    CHECK(accounts.times_asked() == 1);
    CHECK(program.heard->tries.size() == 2);
    CHECK(report.next_due == begin + 1s);
    program.advance(999ms);
    program.inbox->run_until_idle();
    CHECK(accounts.times_asked() == 0);
    for (const auto wait : {1s, 3s, 9s, 27s, 60s, 60s}) {
        program.advance(wait);
        program.inbox->run_until_idle();
        CHECK(accounts.times_asked() == 1);
    }
    for (const auto& event : program.inbox->list()) {
        if (event.account_sid == other_account) continue;
        CHECK(event.state == InboxState::waiting);
        CHECK(event.tries == 0);
    }
    accounts.says = InboxAccount::here;
    accounts.fails = false;
    program.advance(60s);
    program.run_all();
    CHECK(program.count(InboxState::done) == 6);
}

TEST_CASE("what an account waits for is told with each of its tries") {
    Accounts accounts;
    auto& program = *accounts.program;
    accounts.says = InboxAccount::not_now;
    program.receive(message(1, "A1"));
    program.inbox->run_until_idle();
    REQUIRE(program.heard->tries.size() == 1);
    CHECK(program.heard->tries.back().outcome == InboxOutcome::failed);
    CHECK(program.heard->tries.back().reason.find("InboxOptions::account") != std::string::npos);
    CHECK(program.inbox->list().front().problem == program.heard->tries.back().reason);
}

TEST_CASE("webhooks of an account that is switched off are answered 200, and not kept") {
    Accounts accounts;
    auto& program = *accounts.program;
    CHECK(program.receive(message(1, "before", number(1))) == 200);
    accounts.says = InboxAccount::switched_off;
    CHECK(program.receive(message(2, "meanwhile", number(2))) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::switched_off);
    CHECK(program.receive(twiliowa::test::status("sent")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::switched_off);
    CHECK(program.inbox->look({.account_sid = account, .message_sid = "SM1", .kind = "message"})
              .value()
              .answer == InboxAnswer::switched_off);
    CHECK(program.receive(message(3, "other", number(3), other_account)) == 200);
    CHECK(program.inbox->list().size() == 2);
    program.inbox->run_until_idle();
    CHECK(accounts.seen == "other ");
    // What was kept before waits, and is handled when the account is there again.
    accounts.says = InboxAccount::here;
    program.advance(1s);
    program.run_all();
    CHECK(accounts.seen == "other before ");
    CHECK(program.receive(message(2, "meanwhile", number(2))) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::taken_in);
}

TEST_CASE("what a status proves to the outbox is not lost where its account is switched off") {
    Accounts accounts;
    auto& program = *accounts.program;
    const auto job =
        program.outbox->enqueue(twiliowa::OutboundText{.to = "+447700900123", .body = "Hi"});
    program.outbox->run_until_idle();
    accounts.says = InboxAccount::switched_off;
    CHECK(program.receive(twiliowa::test::Service::request(
              {{"MessageSid", program.outbox->try_find(job.id).value()->sid.str()},
               {"AccountSid", account},
               {"From", twiliowa::test::sender},
               {"To", twiliowa::test::customer},
               {"MessageStatus", "delivered"}})) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::switched_off);
    CHECK(program.outbox->try_find(job.id).value()->state == twiliowa::JobState::delivered);
    CHECK(program.inbox->list().empty());
}

TEST_CASE("a customer's STOP of an account that is switched off teaches nothing") {
    twiliowa::WebhookOptions webhooks;
    const auto opt_outs = std::make_shared<twiliowa::OptOuts>(
        std::make_shared<twiliowa::MemoryStore>(), twiliowa::OptOutOptions{.read_words = true});
    webhooks.opt_outs = opt_outs;
    Program program{{.account = [](std::string_view) { return InboxAccount::switched_off; }},
                    webhooks};
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    CHECK(program.receive(message(1, "STOP")) == 200);
    CHECK_FALSE(
        opt_outs->state(twiliowa::test::sender, twiliowa::test::customer).value().everything);
}

TEST_CASE("events of an account that nobody knows are dead letters, by name") {
    Accounts accounts;
    auto& program = *accounts.program;
    accounts.says = InboxAccount::unknown;
    CHECK(program.receive(message(1, "A1")) == 200);
    program.run_all();
    REQUIRE(program.count(InboxState::dead) == 1);
    const auto dead = program.inbox->list().front();
    CHECK(dead.problem == "the program knows no such account");
    accounts.says = InboxAccount::here;
    CHECK(program.inbox->retry(dead.sequence));
    program.run_all();
    CHECK(accounts.seen == "A1 ");
}

TEST_CASE("whose list cannot be read keeps nobody else's back") {
    Program program;
    bool mended = false;
    program.options.clients = [&] {
        const auto credentials = program.fake->credentials();
        const MessagesClient works{credentials, program.fake->client_options()};
        const MessagesClient fails{
            twiliowa::Credentials::auth_token(account, "ffffffffffffffffffffffffffffffff"),
            program.fake->client_options()};
        return std::vector<MessagesClient>{mended ? works : fails, works};
    };
    program.restart();
    program.use([](WebhookHandler& handler) { handler.on_message([](const InboundMessage&) {}); });
    const auto away = program.clock->now();
    program.fake->receive({.from = twiliowa::test::customer,
                           .to = std::string{FakeTwilio::demo_sender},
                           .body = "m"});
    const auto failed = program.inbox->try_catch_up(away);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().http_status() == 401);
    CHECK(program.count(InboxState::waiting) == 1);
    mended = true;
    CHECK(program.inbox->catch_up(away).listed == 2);
    CHECK(program.count(InboxState::waiting) == 1);
}

TEST_CASE("an account that is switched off is not caught up with") {
    Program program;
    program.options.clients = {
        MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.options.account = [](std::string_view) { return InboxAccount::switched_off; };
    program.restart();
    program.use([](WebhookHandler& handler) { handler.on_message([](const InboundMessage&) {}); });
    program.fake->receive({.from = twiliowa::test::customer,
                           .to = std::string{FakeTwilio::demo_sender},
                           .body = "m"});
    CHECK(program.inbox->catch_up(program.clock->now() - 1h).listed == 0);
    CHECK(program.inbox->list().empty());
}

TEST_CASE("who cannot give clients is told so") {
    Program program;
    program.options.clients = []() -> std::vector<MessagesClient> {
        throw std::runtime_error{"the database is away"};
    };
    program.restart();
    program.use([](WebhookHandler& handler) { handler.on_message([](const InboundMessage&) {}); });
    CHECK_FALSE(program.inbox->try_catch_up(program.clock->now()).has_value());
}

TEST_CASE("an account is asked for again later and later, and at once when it was here") {
    twiliowa::detail::AccountWaits waits;
    MonotonicTime now{};
    CHECK_FALSE(waits.left("a", now));
    for (const auto pause : {1s, 3s, 9s, 27s, 60s, 60s}) {
        CHECK(waits.put_off("a", now) == pause);
        // Another that has asked at the same moment.
        CHECK(waits.put_off("a", now) == pause);
        CHECK(waits.left("a", now) == pause);
        CHECK(waits.waiting(now).size() == 1);
        now += pause;
        CHECK_FALSE(waits.left("a", now));
        CHECK(waits.waiting(now).empty());
    }
    CHECK_FALSE(waits.left("b", now));
    waits.is_here("a");
    CHECK(waits.put_off("a", now) == 1s);
}

TEST_CASE("what cannot hold of an account is refused when an inbox is set up, by name") {
    const auto field_of = [](const InboxOptions& options) {
        try {
            const Program program{options};
        } catch (const twiliowa::InvalidRequestError& error) {
            return error.field();
        }
        return std::string{};
    };
    CHECK(field_of({.max_waiting_per_account = -1}) == "max_waiting_per_account");
    CHECK(field_of({.workers_per_account = -1}) == "workers_per_account");
    CHECK(field_of({.workers = 2, .workers_per_account = 3}) == "workers_per_account");
    CHECK(field_of({.workers = 2, .workers_per_account = 2}).empty());
}

}  // namespace inbox_turns_test
