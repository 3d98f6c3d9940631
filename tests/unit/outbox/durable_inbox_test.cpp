#include <twiliowa/outbox/durable_inbox.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/opt_outs.hpp>

#include "unit/outbox/inbox_service.hpp"

namespace durable_inbox_test {

using namespace std::chrono_literals;
using inbox_test::FakeTwilio;
using inbox_test::InboxOptions;
using inbox_test::InboxState;
using inbox_test::ManualClock;
using inbox_test::MemoryOutbox;
using inbox_test::message;
using inbox_test::Program;
using inbox_test::sid_of;
using twiliowa::DurableInbox;
using twiliowa::InboundMessage;
using twiliowa::InboxOutcome;
using twiliowa::JobState;
using twiliowa::MessagingResponse;
using twiliowa::StatusCallback;
using twiliowa::TimePoint;
using twiliowa::Turn;
using twiliowa::WebhookHandler;
using twiliowa::WebhookOutcome;

namespace {

constexpr auto other_customer = "whatsapp:+447700900124";

template <class Call>
std::string field_of(Call call) {
    try {
        call();
    } catch (const twiliowa::InvalidRequestError& error) {
        return error.field();
    }
    return {};
}

/// Notes what it was given, and throws as often as it is told.
struct Notes {
    std::vector<std::string> seen;
    int failures = 0;
    void operator()(const InboundMessage& inbound) {
        seen.push_back(inbound.body);
        if (failures != 0) {
            --failures;
            throw std::runtime_error{"+447700900123 fails"};
        }
    }
};

}  // namespace

TEST_CASE("what is answered 200 is written down, and handled from there") {
    Program program;
    Notes notes;
    program.use([&](WebhookHandler& handler) { handler.on_text(std::ref(notes)); });
    const auto answer = program.handler->handle(message(1, "Hi"));
    CHECK(answer.status == 200);
    CHECK(answer.body == twiliowa::test::nothing);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::taken_in);
    CHECK(notes.seen.empty());
    CHECK(program.count(InboxState::waiting) == 1);
    CHECK(program.inbox->run_until_idle().handled == 1);
    CHECK(notes.seen == std::vector<std::string>{"Hi"});
    CHECK(program.count(InboxState::done) == 1);
    CHECK(program.heard->tries.back().outcome == InboxOutcome::handled);
    const auto event = program.inbox->list().front();
    CHECK(event.message_sid == sid_of(1));
    CHECK(std::get<InboundMessage>(*event.event).body == "Hi");
}

TEST_CASE("a webhook that comes again is a duplicate, before and after it was handled") {
    Program program;
    Notes notes;
    program.use([&](WebhookHandler& handler) { handler.on_text(std::ref(notes)); });
    CHECK(program.receive(message(1, "Hi")) == 200);
    CHECK(program.receive(message(1, "Hi")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::duplicate);
    program.run_all();
    program.restart();
    CHECK(program.receive(message(1, "Hi")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::duplicate);
    program.run_all();
    CHECK(notes.seen.size() == 1);
}

TEST_CASE("a text that is cut anew is refused, before and after its event was handled") {
    Program program;
    int unknown = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_message([](const InboundMessage&) {});
        handler.on_unknown([&](const twiliowa::UnknownWebhook&) { ++unknown; });
    });
    const auto request = message(1, "Hi");
    REQUIRE(program.receive(request) == 200);
    // The same signed text as one parameter less: no message, and so another event.
    auto recut = request;
    recut.body = "AccountSid=" + twiliowa::test::account + "BodyHiFromwhatsapp%3A%2B447700900123" +
                 "&MessageSid=" + sid_of(1) + "&NumMedia=0&To=whatsapp%3A%2B14155238886";
    CHECK(program.receive(recut) == 403);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::recut);
    program.run_all();
    CHECK(program.receive(recut) == 403);
    program.run_all();
    CHECK(unknown == 0);
}

TEST_CASE("events of one customer are handled in order, and a failing one holds up nobody else's") {
    Program program;
    Notes notes;
    notes.failures = 1;
    program.use([&](WebhookHandler& handler) { handler.on_text(std::ref(notes)); });
    program.receive(message(1, "A1"));
    program.receive(message(2, "A2"));
    program.receive(message(3, "B1", other_customer));
    program.inbox->run_until_idle();
    CHECK(notes.seen == std::vector<std::string>{"A1", "B1"});
    program.run_all();
    CHECK(notes.seen == std::vector<std::string>{"A1", "B1", "A1", "A2"});
}

TEST_CASE(
    "an event that fails each time blocks its customer for its pauses, and is a dead letter") {
    Program program;
    Notes notes;
    notes.failures = 5;
    program.use([&](WebhookHandler& handler) { handler.on_text(std::ref(notes)); });
    program.receive(message(1, "A1"));
    program.receive(message(2, "A2"));
    const auto began = program.clock->now();
    program.run_all();
    CHECK(program.clock->now() - began <= 2min);
    CHECK(notes.seen == std::vector<std::string>{"A1", "A1", "A1", "A1", "A1", "A2"});
    REQUIRE(program.count(InboxState::dead) == 1);
    const auto dead = program.inbox->list({.state = InboxState::dead}).front();
    CHECK(dead.tries == 5);
    CHECK(dead.problem.find("the handler threw") != std::string::npos);
    CHECK(dead.problem.find("4477") == std::string::npos);
    CHECK(program.inbox->retry(dead.sequence));
    program.run_all();
    CHECK(notes.seen.back() == "A1");
    CHECK(program.count(InboxState::done) == 2);
    CHECK(program.inbox->list().front().out_of_order);
}

TEST_CASE("a dead letter can be dropped") {
    Program program;
    Notes notes;
    notes.failures = 5;
    program.use([&](WebhookHandler& handler) { handler.on_text(std::ref(notes)); });
    program.receive(message(1, "A1"));
    program.run_all();
    const auto sequence = program.inbox->list().front().sequence;
    CHECK(program.inbox->drop(sequence));
    CHECK_FALSE(program.inbox->retry(sequence));
    CHECK(program.count(InboxState::dropped) == 1);
}

TEST_CASE("an event whose handling ends the process is a dead letter after its tries") {
    Program program{{.max_tries = 3}};
    int begun = 0;
    program.use([&](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    program.receive(message(1, "A1"));
    program.receive(message(2, "A2"));
    for (int i = 0; i < 3; ++i) {
        // A process that is killed in the handler: it has claimed, and nothing more is written.
        DurableInbox killed{program.storage, program.options};
        WebhookHandler dying{twiliowa::RequestValidator{twiliowa::test::token},
                             {.inbox = std::shared_ptr<DurableInbox>{&killed, [](auto*) {}},
                              .clock = program.clock}};
        auto& memory = dynamic_cast<MemoryOutbox&>(*program.storage);
        dying.on_text([&](const InboundMessage&) {
            ++begun;
            memory.set_works(false);
        });
        CHECK_FALSE(killed.try_run_until_idle());
        memory.set_works(true);
        CHECK(program.inbox->run_until_idle().handled == 0);
        program.advance(program.options.lease);
    }
    CHECK(begun == 3);
    program.run_all();
    REQUIRE(program.count(InboxState::dead) == 1);
    CHECK(program.inbox->list({.state = InboxState::dead}).front().message_sid == sid_of(1));
    CHECK(program.count(InboxState::done) == 1);
    CHECK(program.heard->tries.size() == 4);
}

TEST_CASE("answers are jobs under the event's keys, and sent once") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage& inbound) {
            MessagingResponse answer;
            answer.message("You said: " + inbound.body);
            answer.message({.body = "And that",
                            .to = "whatsapp:+447700900125",
                            .action = "https://example.com/done"});
            return answer;
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    const auto first = program.outbox->find("", sid_of(1) + "/1").value();
    CHECK(first.message->body == "You said: Hi");
    CHECK(first.message->to == twiliowa::test::customer);
    CHECK(first.message->from == twiliowa::test::sender);
    const auto second = program.outbox->find("", sid_of(1) + "/2").value();
    CHECK(second.message->to == "whatsapp:+447700900125");
    CHECK(second.message->status_callback == "https://example.com/done");
    CHECK(second.order_key == sid_of(1));
    CHECK_FALSE(program.outbox->find("", sid_of(1) + "/3"));
    program.outbox->run_until_idle();
    CHECK(program.sent().size() == 2);
}

TEST_CASE("an SMS is answered by SMS") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) { return MessagingResponse{"Thank you"}; });
    });
    program.receive(twiliowa::test::Service::request({{"MessageSid", sid_of(1)},
                                                      {"AccountSid", twiliowa::test::account},
                                                      {"From", "+447700900123"},
                                                      {"To", "+15005550006"},
                                                      {"Body", "Hi"}}));
    program.run_all();
    const auto job = program.outbox->find("", sid_of(1) + "/1").value();
    CHECK(job.message->to == "sms:+447700900123");
    CHECK(job.message->from == "sms:+15005550006");
}

TEST_CASE("a handler that fails has answered nothing") {
    Program program;
    int tries = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            turn.reply("Try " + std::to_string(turn.tries()));
            if (++tries == 1) throw std::runtime_error{"no"};
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    program.outbox->run_until_idle();
    CHECK(program.sent() == std::vector<std::string>{"Try 2"});
}

TEST_CASE("a turn replies, enqueues and writes in the one transaction that ends the event") {
    Program program;
    int committed = 0;
    bool fails = true;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            turn.reply("One");
            turn.enqueue(twiliowa::OutboundText{.to = "+447700900125", .body = "Two"});
            turn.enqueue(twiliowa::OutboundText{.to = "+447700900126", .body = "Three"},
                         {.key = "of my own"});
            turn.at_commit([&](const twiliowa::NativeTransaction& native) {
                CHECK(native.sqlite == nullptr);
                if (std::exchange(fails, false)) throw std::runtime_error{"no room"};
                ++committed;
            });
            return MessagingResponse{"Four"};
        });
    });
    program.receive(message(1, "Hi"));
    CHECK(program.inbox->run_until_idle().failed == 1);
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    CHECK(committed == 0);
    program.run_all();
    CHECK(committed == 1);
    CHECK(program.outbox->find("", sid_of(1) + "/1")->message->body == "One");
    CHECK(program.outbox->find("", sid_of(1) + "/2")->message->body == "Two");
    CHECK(program.outbox->find("", sid_of(1) + "/3")->message->body == "Four");
    CHECK(program.outbox->find("", "of my own")->message->body == "Three");
}

TEST_CASE("a turn names its jobs before they are there, and at_commit knows which they are") {
    Program program;
    const twiliowa::OutboundText thanks{.to = "+447700900125", .body = "Thank you"};
    const auto earlier = program.outbox->enqueue(thanks, {.key = "shared", .tenant = "t"});
    std::vector<twiliowa::TurnJob> named;
    std::vector<twiliowa::EnqueuedJob> committed;
    bool fails = true;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            named = {turn.reply("One"), turn.enqueue(thanks, {.key = "shared", .tenant = "t"})};
            turn.at_commit([&](const twiliowa::NativeTransaction&,
                               std::span<const twiliowa::EnqueuedJob> jobs) {
                committed = {jobs.begin(), jobs.end()};
                if (std::exchange(fails, false)) throw std::runtime_error{"no room"};
            });
            return MessagingResponse{"Two"};
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    REQUIRE(named.size() == 2);
    CHECK(named[0].key == sid_of(1) + "/1");
    CHECK(program.outbox->find("", named[0].key)->id == named[0].id);
    CHECK(named[1].tenant == "t");
    CHECK(named[1].key == "shared");
    REQUIRE(committed.size() == 3);
    CHECK(committed[0].id == named[0].id);
    CHECK_FALSE(committed[0].existed);
    // An earlier one has the key.
    CHECK(committed[1].id == earlier.id);
    CHECK(committed[1].existed);
    CHECK(program.outbox->find("", committed[2].key)->message->body == "Two");
    CHECK(program.outbox->find("", committed[2].key)->id == committed[2].id);
}

TEST_CASE("what at_commit throws costs a try, and ends as a dead letter") {
    Program program;
    int runs = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            ++runs;
            turn.at_commit([](const twiliowa::NativeTransaction&) {
                throw std::runtime_error{"it is there already"};
            });
            return turn.reply("Hi");
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    CHECK(runs == 5);
    CHECK(program.inbox->list().front().state == InboxState::dead);
    CHECK(program.outbox->list().empty());
}

TEST_CASE("who has lost an event to another writes nothing of it") {
    Program program;
    const twiliowa::OutboundText thanks{.to = "+447700900123", .body = "Thank you"};
    bool stood_still = false;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            turn.enqueue(thanks, {.key = "by " + std::to_string(turn.tries())});
            if (std::exchange(stood_still, true)) return;
            // Another process finds its lease ended, and handles the event.
            program.advance(program.options.lease);
            DurableInbox other{*program.outbox, program.options};
            WebhookHandler second{twiliowa::RequestValidator{twiliowa::test::token},
                                  {.inbox = std::shared_ptr<DurableInbox>{&other, [](auto*) {}},
                                   .clock = program.clock}};
            second.on_text([&](Turn& its) {
                its.enqueue(thanks, {.key = "by " + std::to_string(its.tries())});
            });
            CHECK(other.run_until_idle().handled == 1);
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    CHECK(program.heard->tries.back().outcome == InboxOutcome::lease_lost);
    CHECK_FALSE(program.outbox->find("", "by 1"));
    CHECK(program.outbox->find("", "by 2"));
}

TEST_CASE("a process that dies between handler and commit has written nothing; the next one does") {
    Program program;
    int runs = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](const InboundMessage&) {
            if (++runs == 1) dynamic_cast<MemoryOutbox&>(*program.storage).set_works(false);
            return MessagingResponse{"Thank you"};
        });
    });
    program.receive(message(1, "Hi"));
    CHECK_FALSE(program.inbox->try_run_until_idle());
    dynamic_cast<MemoryOutbox&>(*program.storage).set_works(true);
    program.restart();
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    program.advance(program.options.lease);
    program.run_all();
    program.outbox->run_until_idle();
    CHECK(runs == 2);
    CHECK(program.sent() == std::vector<std::string>{"Thank you"});
}

TEST_CASE("killed at any of its works, an inbox handles everything and answers at most once") {
    CHECK(inbox_test::kill_at_each_work({}) > 20);
}

TEST_CASE("a redirect cannot be carried out: a dead letter that says so") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) {
            return MessagingResponse{"Wait"}.redirect("https://example.com/next");
        });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    REQUIRE(program.count(InboxState::dead) == 1);
    CHECK(program.inbox->list().front().tries == 1);
    CHECK(program.inbox->list().front().problem.find("redirects") != std::string::npos);
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
}

TEST_CASE("an answer that no send would take is tried again, and the dead letter names it") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text(
            [](const InboundMessage&) { return MessagingResponse{std::string(2'000, 'x')}; });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    REQUIRE(program.count(InboxState::dead) == 1);
    CHECK(program.inbox->list().front().tries == 5);
    CHECK(program.inbox->list().front().problem.find("ody") != std::string::npos);
}

TEST_CASE("an answer under a key that another message has fails by name") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) { return MessagingResponse{"Thank you"}; });
    });
    program.outbox->enqueue(twiliowa::OutboundText{.to = "+447700900123", .body = "Other"},
                            {.key = sid_of(1) + "/1"});
    program.receive(message(1, "Hi"));
    program.run_all();
    REQUIRE(program.count(InboxState::dead) == 1);
    CHECK(program.inbox->list().front().problem.find("another message") != std::string::npos);
}

TEST_CASE("an answer whose job is there already with the same message is no error") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) { return MessagingResponse{"Thank you"}; });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    program.advance(1h);
    REQUIRE(program.inbox->try_purge(program.clock->now(), true).value() == 1);
    CHECK(program.receive(message(1, "Hi")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::taken_in);
    program.run_all();
    CHECK(program.count(InboxState::done) == 1);
    program.outbox->run_until_idle();
    CHECK(program.sent().size() == 1);
}

TEST_CASE("answers have what the program says of them") {
    InboxOptions options;
    options.reply_options = [](const InboundMessage& inbound) {
        return twiliowa::JobOptions{
            .key = "never used", .tenant = "t7", .tag = inbound.account_sid.str()};
    };
    Program program{options};
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) { return MessagingResponse{"Thank you"}; });
    });
    program.receive(message(1, "Hi"));
    program.run_all();
    CHECK(program.outbox->find("t7", sid_of(1) + "/1")->tag == twiliowa::test::account);
}

TEST_CASE("statuses reach the outbox before they are answered, and go before messages") {
    Program program;
    std::vector<std::string> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](const InboundMessage& inbound) { seen.push_back(inbound.body); });
        handler.on_status(
            [&](const StatusCallback& callback) { seen.push_back(callback.status.str()); });
    });
    program.receive(message(1, "A1"));
    program.advance(1s);
    CHECK(program.receive(twiliowa::test::status("sent")) == 200);
    CHECK(program.receive(twiliowa::test::status("delivered")) == 200);
    program.run_all();
    CHECK(seen == std::vector<std::string>{"sent", "delivered", "A1"});

    const auto job = program.outbox->enqueue(
        twiliowa::OutboundText{.to = "+447700900123", .body = "Hi"}, {.key = "one"});
    program.outbox->run_until_idle();
    const auto sid = program.outbox->try_find(job.id).value()->sid.str();
    CHECK(program.receive(twiliowa::test::Service::request({{"MessageSid", sid},
                                                            {"AccountSid", twiliowa::test::account},
                                                            {"From", twiliowa::test::sender},
                                                            {"To", twiliowa::test::customer},
                                                            {"MessageStatus", "delivered"}})) ==
          200);
    CHECK(program.outbox->try_find(job.id).value()->state == JobState::delivered);
}

TEST_CASE("statuses may be known in a store, by a handler of their own beside the inbox") {
    Program program;
    program.use([](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage&) { return MessagingResponse{"Hi"}; });
    });
    const auto store = std::make_shared<twiliowa::MemoryStore>();
    twiliowa::WebhookOptions options;
    options.clock = program.clock;
    options.public_url = twiliowa::PublicUrl::fixed("https://example.com");
    options.dedup = std::make_shared<twiliowa::DedupStore>(store);
    WebhookHandler statuses{twiliowa::RequestValidator{twiliowa::test::token}, options};
    int learnt = 0;
    statuses.on_status([&](const StatusCallback& callback) {
        program.outbox->learn(callback);
        ++learnt;
    });
    program.receive(message(1, "Hello"));
    program.run_all();
    program.outbox->run_until_idle();
    const auto sent = program.outbox->list().front();
    const auto told = twiliowa::test::Service::request({{"MessageSid", sent.sid.str()},
                                                        {"AccountSid", twiliowa::test::account},
                                                        {"From", twiliowa::test::sender},
                                                        {"To", twiliowa::test::customer},
                                                        {"MessageStatus", "delivered"}});
    for (int i = 0; i < 3; ++i) CHECK(statuses.handle(told).status == 200);
    CHECK(learnt == 1);
    CHECK(program.outbox->list().front().state == JobState::delivered);
    CHECK(program.inbox->list({.kind = "status"}).empty());
    CHECK(program.inbox->list().size() == 1);
}

TEST_CASE("what a status proves is written down with its event, or neither is") {
    bool died_between = false;
    for (int works = 1; works <= 5; ++works) {
        for (const bool writes_last : {false, true}) {
            for (const bool wanted : {false, true}) {
                CAPTURE(works);
                CAPTURE(writes_last);
                CAPTURE(wanted);
                Program program;
                program.use([&](WebhookHandler& handler) {
                    if (wanted) handler.on_status([](const StatusCallback&) {});
                });
                const auto job = program.outbox->enqueue(
                    twiliowa::OutboundText{.to = "+447700900123", .body = "Hi"});
                program.outbox->run_until_idle();
                const auto sid = program.outbox->try_find(job.id).value()->sid.str();
                const auto kept = program.storage;
                program.storage =
                    std::make_shared<outbox_test::CrashingStorage>(kept, works, writes_last);
                int status = 0;
                try {
                    program.restart();
                    status = program.receive(
                        twiliowa::test::Service::request({{"MessageSid", sid},
                                                          {"AccountSid", twiliowa::test::account},
                                                          {"From", twiliowa::test::sender},
                                                          {"To", twiliowa::test::customer},
                                                          {"MessageStatus", "delivered"}}));
                } catch (const twiliowa::TwilioError&) {
                    // It died before it could take anything.
                }
                program.storage = kept;
                program.restart();
                const bool known = !program.inbox->list().empty();
                const auto state = program.outbox->try_find(job.id).value()->state;
                CHECK(known == (state == JobState::delivered));
                if (status == 200) CHECK(known);
                died_between = died_between || (status != 200 && known);
            }
        }
    }
    CHECK(died_between);
}

TEST_CASE("of a status that nobody wants its key alone is kept") {
    Program program;
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    CHECK(program.receive(twiliowa::test::status("sent")) == 200);
    CHECK(program.receive(twiliowa::test::status("delivered")) == 200);
    CHECK(program.count(InboxState::done) == 2);
    for (const auto& event : program.inbox->list()) CHECK_FALSE(event.event);
    CHECK(program.receive(twiliowa::test::status("sent")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::duplicate);
    CHECK(program.inbox->run_until_idle().handled == 0);
}

TEST_CASE("a backlog that is full is answered 503, and a duplicate still 200") {
    Program program{{.max_waiting = 2}};
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    CHECK(program.receive(message(1, "A1")) == 200);
    CHECK(program.receive(message(2, "A2")) == 200);
    CHECK(program.receive(message(3, "A3")) == 503);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::inbox_full);
    CHECK(program.receive(message(2, "A2")) == 200);
    program.run_all();
    CHECK(program.receive(message(3, "A3")) == 200);
}

TEST_CASE("what a status proves is taken in for want of room, too") {
    Program program{{.max_waiting = 1}};
    program.use([](WebhookHandler& handler) { handler.on_status([](const StatusCallback&) {}); });
    const auto job =
        program.outbox->enqueue(twiliowa::OutboundText{.to = "+447700900123", .body = "Hi"});
    program.outbox->run_until_idle();
    CHECK(program.receive(twiliowa::test::status("sent")) == 200);
    CHECK(program.receive(twiliowa::test::Service::request(
              {{"MessageSid", program.outbox->try_find(job.id).value()->sid.str()},
               {"AccountSid", twiliowa::test::account},
               {"From", twiliowa::test::sender},
               {"To", twiliowa::test::customer},
               {"MessageStatus", "delivered"}})) == 503);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::inbox_full);
    CHECK(program.outbox->try_find(job.id).value()->state == JobState::delivered);
}

TEST_CASE("a storage that is away is answered 503, and nothing was taken in") {
    Program program;
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    auto& memory = dynamic_cast<MemoryOutbox&>(*program.storage);
    memory.set_works(false);
    CHECK(program.receive(message(1, "A1")) == 503);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::store_failed);
    CHECK(program.receive(twiliowa::test::status("sent")) == 503);
    memory.set_works(true);
    CHECK(program.inbox->list().empty());
    CHECK(program.receive(message(1, "A1")) == 200);
}

TEST_CASE("a STOP is known before it is answered, and reaches its handler from the inbox") {
    twiliowa::WebhookOptions options;
    const auto opt_outs = std::make_shared<twiliowa::OptOuts>(
        std::make_shared<twiliowa::MemoryStore>(), twiliowa::OptOutOptions{.read_words = true});
    options.opt_outs = opt_outs;
    options.stop_words = {};
    Program program{{}, options};
    std::vector<std::string> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_opt_out([&](const InboundMessage&) { seen.push_back("opt-out"); });
        handler.on_text([&](const InboundMessage&) { seen.push_back("text"); });
    });
    CHECK(program.receive(message(1, "STOP")) == 200);
    CHECK(opt_outs->state(twiliowa::test::sender, twiliowa::test::customer).value().everything);
    program.run_all();
    CHECK(seen == std::vector<std::string>{"opt-out"});
}

TEST_CASE("what cannot work is refused when it is set up, by name") {
    const auto clock = std::make_shared<ManualClock>();
    const auto storage = std::make_shared<MemoryOutbox>(clock);
    const auto handler_with = [&](twiliowa::WebhookOptions options) {
        options.clock = clock;
        return WebhookHandler{twiliowa::RequestValidator{twiliowa::test::token}, options};
    };
    const auto inbox = std::make_shared<DurableInbox>(storage, InboxOptions{.clock = clock});
    try {
        handler_with({.dedup = std::make_shared<twiliowa::DedupStore>(
                          std::make_shared<twiliowa::MemoryStore>()),
                      .inbox = inbox});
        FAIL("it was made");
    } catch (const twiliowa::InvalidRequestError& refused) {
        CHECK(refused.field() == "dedup");
        CHECK(refused.error().hint().find("a WebhookHandler of their own") != std::string::npos);
    }
    CHECK(field_of([&] { handler_with({.inbox = inbox, .unknown_may_repeat = true}); }) ==
          "unknown_may_repeat");
    CHECK(field_of([&] { inbox->start(); }) == "handler");
    CHECK(field_of([&] { inbox->run_until_idle(); }) == "handler");
    {
        auto handler = handler_with({.inbox = inbox});
        CHECK(field_of([&] { handler_with({.inbox = inbox}); }) == "inbox");
        CHECK(field_of([&] {
                  handler.on_text([](const InboundMessage&) { return MessagingResponse{"Hi"}; });
              }) == "inbox");
        CHECK(field_of([&] {
                  handler.on_unknown(
                      [](const twiliowa::UnknownWebhook&) { return MessagingResponse{"Hi"}; });
              }) == "inbox");
        handler.on_text([](const InboundMessage&) {});
        CHECK(field_of([&] { inbox->catch_up(clock->now()); }) == "clients");
        inbox->start();
        CHECK(field_of([&] { handler.on_text([](const InboundMessage&) {}); }) == "inbox");
        inbox->stop();
    }
    auto without = handler_with({});
    CHECK(field_of([&] { without.on_text([](Turn&) {}); }) == "inbox");
    CHECK(field_of([&] { DurableInbox{nullptr}; }) == "storage");
    CHECK(field_of([&] { DurableInbox{storage, {.workers = 0}}; }) == "workers");
    CHECK(field_of([&] { DurableInbox{storage, {.lease = 1ms}}; }) == "lease");
    CHECK(field_of([&] { DurableInbox{storage, {.max_tries = 0}}; }) == "max_tries");
    CHECK(field_of([&] { DurableInbox{storage, {.pauses = -1ms}}; }) == "pauses");
    CHECK(field_of([&] { DurableInbox{storage, {.max_waiting = -1}}; }) == "max_waiting");
    CHECK(field_of([&] { DurableInbox{storage, {.keys_kept = -1ms}}; }) == "keys_kept");
}

TEST_CASE("Twilio is asked to try again where an inbox is set") {
    Program program;
    CHECK(program.handler->webhook_url("/hook") == "https://example.com/hook#rc=5&rp=all");
    CHECK(program.handler->webhook_url("/hook", {.retries = 1, .retry_on = "5xx"}) ==
          "https://example.com/hook#rc=1&rp=5xx");
    const WebhookHandler plain{twiliowa::RequestValidator{twiliowa::test::token},
                               {.public_url = twiliowa::PublicUrl::fixed("https://example.com")}};
    CHECK(plain.webhook_url("/hook") == "https://example.com/hook");
}

TEST_CASE("a sealed inbox shows nobody and no text") {
    const auto keys = twiliowa::KeyRing::parse("k1:" + std::string(43, 'A') + "=");
    InboxOptions options;
    options.sealer = twiliowa::Sealer{keys};
    Program program{options};
    std::vector<std::string> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](const InboundMessage& inbound) { seen.push_back(inbound.body); });
    });
    program.receive(message(1, "a secret"));
    program.receive(message(2, "another"));
    std::string stored;
    program.storage
        ->transact([&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            for (const auto& event : transaction.inbox()->list({}).value()) {
                stored += event.key + event.line + event.customer + event.payload;
            }
            return {};
        })
        .value();
    CHECK(stored.find("secret") == std::string::npos);
    CHECK(stored.find("447700900") == std::string::npos);
    program.run_all();
    CHECK(seen == std::vector<std::string>{"a secret", "another"});
}

TEST_CASE("what came while nobody was there is fetched from Twilio's list, once") {
    Program program;
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.restart();
    std::vector<InboundMessage> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_message([&](const InboundMessage& inbound) { seen.push_back(inbound); });
    });
    program.fake->set_list_lag(5min);
    const auto away = program.clock->now();
    // A webhook that came, and 200 messages of ten minutes whose webhooks did not.
    for (int i = 0; i < 200; ++i) {
        program.fake->receive({.from = "whatsapp:+4477009001" + std::to_string(10 + i % 20),
                               .to = std::string{FakeTwilio::demo_sender},
                               .body = "m" + std::to_string(i)});
        program.advance(3s);
    }
    program.fake->receive({.from = twiliowa::test::customer,
                           .to = std::string{FakeTwilio::demo_sender},
                           .media = "bytes",
                           .media_type = "image/png"});
    int taken = 0;
    for (const auto wait : {0min, 1min, 5min, 15min}) {
        program.advance(wait);
        taken += program.inbox->catch_up(away).taken;
        program.run_all();
    }
    CHECK(taken == 201);
    REQUIRE(seen.size() == 201);
    CHECK(seen.front().body == "m0");
    CHECK(seen.front().caught_up);
    CHECK(seen.back().media.size() == 1);
    CHECK(seen.back().media.front().content_type == "image/png");
    // A late webhook of one of them is a duplicate.
    auto late = twiliowa::test::Service::request({{"MessageSid", seen.front().sid.str()},
                                                  {"AccountSid", twiliowa::test::account},
                                                  {"From", seen.front().from},
                                                  {"To", seen.front().to},
                                                  {"Body", "m0"},
                                                  {"NumMedia", "0"},
                                                  {"ProfileName", "Ann"}});
    CHECK(program.receive(late) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::duplicate);
}

TEST_CASE("a look tells of a message that is there whether it was caught up") {
    Program program;
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.restart();
    program.use([](WebhookHandler& handler) { handler.on_message([](const InboundMessage&) {}); });
    const auto look = [&](const std::string& sid) {
        return program.inbox
            ->look({.account_sid = twiliowa::test::account, .message_sid = sid, .kind = "message"})
            .value();
    };
    program.receive(message(1, "by a webhook"));
    const auto sid = program.fake->receive({.from = twiliowa::test::customer,
                                            .to = std::string{FakeTwilio::demo_sender},
                                            .body = "from the list"});
    CHECK(look(sid).answer == twiliowa::InboxAnswer::taken);
    CHECK_FALSE(look(sid).caught_up);
    program.inbox->catch_up(program.clock->now() - 1min);
    CHECK(look(sid).answer == twiliowa::InboxAnswer::duplicate);
    CHECK(look(sid).caught_up);
    CHECK(look(inbox_test::sid_of(1)).answer == twiliowa::InboxAnswer::duplicate);
    CHECK_FALSE(look(inbox_test::sid_of(1)).caught_up);
    // As the handler of either is told.
    program.run_all();
    CHECK(look(sid).caught_up);
    program.advance(2h);
    program.inbox->try_purge(program.clock->now()).value();
    CHECK(look(sid).answer == twiliowa::InboxAnswer::duplicate);
    CHECK_FALSE(look(sid).caught_up);
}

TEST_CASE("after a restore no answer is sent again that a later state has sent") {
    inbox_test::restore_to_nothing([](const std::shared_ptr<ManualClock>& clock) {
        return std::make_shared<MemoryOutbox>(clock);
    });
}

TEST_CASE("what came within one second is caught up with in its order") {
    Program program;
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.restart();
    std::vector<std::string> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_message([&](const InboundMessage& inbound) { seen.push_back(inbound.body); });
    });
    for (const auto* const body : {"a", "b", "c"}) {
        program.fake->receive({.from = twiliowa::test::customer,
                               .to = std::string{FakeTwilio::demo_sender},
                               .body = body});
    }
    program.inbox->catch_up(program.clock->now() - 1min);
    program.run_all();
    CHECK(seen == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("who is told of senders catches up with what came to them, and asks for no more") {
    Program program;
    const auto other = "whatsapp:+14155550101";
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.fake->add_sender(twiliowa::test::account, other);
    program.fake->add_sender(twiliowa::test::account, "whatsapp:+14155550102");
    std::vector<std::string> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_message([&](const InboundMessage& inbound) { seen.push_back(inbound.body); });
    });
    const auto receive = [&](const std::string& to, const char* body) {
        program.fake->receive({.from = twiliowa::test::customer, .to = to, .body = body});
        program.advance(1s);
    };
    const auto away = program.clock->now();
    receive(other, "first, to the other");
    receive(std::string{FakeTwilio::demo_sender}, "second");
    receive("whatsapp:+14155550102", "to a third");
    receive(other, "last, to the other");

    program.options.catch_up_senders = {other, "+14155550101"};
    program.restart();
    CHECK(program.inbox->catch_up(away).listed == 2);
    REQUIRE(program.fake->requests().size() == 1);
    for (const auto& request : program.fake->requests()) {
        CHECK(request.url.find("To=whatsapp%3A%2B14155550101") != std::string::npos);
    }
    program.run_all();
    CHECK(seen == std::vector<std::string>{"first, to the other", "last, to the other"});

    program.options.catch_up_senders = {std::string{FakeTwilio::demo_sender}, other};
    program.restart();
    const auto report = program.inbox->catch_up(away);
    CHECK(report.listed == 3);
    CHECK(report.taken == 1);
}

TEST_CASE("what is no number of a sender is refused where senders to catch up with are named") {
    for (const auto* const sender :
         {"", "shop", "MG00000000000000000000000000000001", "whatsapp:GB.4f1a"}) {
        CAPTURE(sender);
        Program program;
        try {
            DurableInbox inbox{program.storage, {.catch_up_senders = {sender}}};
            FAIL("it was taken");
        } catch (const twiliowa::InvalidRequestError& refused) {
            CHECK(refused.field() == "catch_up_senders");
        }
    }
}

TEST_CASE("files of a message are looked up once, and lie where the client asks") {
    Program program;
    auto options = program.fake->client_options();
    options.base_url = "https://gateway.example.com";
    program.options.clients = {twiliowa::MessagesClient{program.fake->credentials(), options}};
    program.restart();
    std::vector<InboundMessage> seen;
    program.use([&](WebhookHandler& handler) {
        handler.on_message([&](const InboundMessage& inbound) { seen.push_back(inbound); });
    });
    const auto away = program.clock->now();
    program.fake->receive({.from = twiliowa::test::customer,
                           .to = std::string{FakeTwilio::demo_sender},
                           .media = "bytes",
                           .media_type = "image/png"});
    CHECK(program.inbox->catch_up(away).taken == 1);
    const auto asked = program.fake->requests().size();
    const auto again = program.inbox->catch_up(away);
    CHECK(again.listed == 1);
    CHECK(again.taken == 0);
    // The list of messages, and no list of files.
    CHECK(program.fake->requests().size() == asked + 1);
    program.run_all();
    REQUIRE(seen.size() == 1);
    REQUIRE(seen.front().media.size() == 1);
    CHECK(seen.front().media.front().url.starts_with(
        "https://gateway.example.com/2010-04-01/Accounts/"));
}

TEST_CASE("who is cancelled has caught up with nothing more") {
    Program program;
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.restart();
    twiliowa::CancelSource cancel;
    cancel.cancel();
    const auto report = program.inbox->try_catch_up(program.clock->now(), cancel.token());
    REQUIRE(!report);
    CHECK(report.error().kind() == twiliowa::ErrorKind::cancelled);
}

TEST_CASE("a start fetches what came since somebody was here last") {
    Program program;
    program.options.clients = {
        twiliowa::MessagesClient{program.fake->credentials(), program.fake->client_options()}};
    program.restart();
    std::atomic<int> seen{0};
    program.use([&](WebhookHandler& handler) {
        handler.on_message([&](const InboundMessage& inbound) {
            if (inbound.caught_up) ++seen;
        });
    });
    const auto receive = [&](int messages) {
        for (int i = 0; i < messages; ++i) {
            program.fake->receive({.from = twiliowa::test::customer,
                                   .to = std::string{FakeTwilio::demo_sender},
                                   .body = "m"});
        }
    };
    receive(2);  // before this inbox was there for the first time
    program.advance(1h);
    program.inbox->start();
    program.inbox->stop();
    program.advance(10min);
    receive(3);
    program.advance(1min);
    program.restart();
    program.inbox->start();
    while (seen < 3) std::this_thread::yield();
    program.inbox->stop();
    CHECK(seen == 3);
    CHECK(program.inbox->list().size() == 3);
}

TEST_CASE("a customer who is forgotten is erased from what is done, and from dead letters") {
    const auto customers = std::make_shared<const twiliowa::Customers>(
        std::make_shared<twiliowa::MemoryStore>(), twiliowa::CustomersOptions{});
    Program program{{.customers = customers}};
    program.use([&](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage& inbound) {
            if (inbound.body == "dead") throw std::runtime_error{"no"};
        });
    });
    program.receive(message(1, "dead"));
    program.receive(message(2, "done"));
    program.receive(message(3, "another's", other_customer));
    program.run_all();
    program.receive(message(4, "waits"));
    const auto& of = twiliowa::test::customer;
    CHECK(customers->export_of(of).value().find("done") != std::string::npos);
    CHECK_FALSE(customers->forget(of).value().complete());
    program.run_all();
    CHECK(customers->forget(of).value().complete());
    CHECK(customers->export_of(of).value().find(R"("inbox":[])") != std::string::npos);
    CHECK(program.count(InboxState::dropped) == 1);
    int legible = 0;
    for (const auto& event : program.inbox->list()) legible += event.event ? 1 : 0;
    CHECK(legible == 1);
}

TEST_CASE("what is kept no longer goes, and its key stays for a while") {
    Program program;
    program.use([](WebhookHandler& handler) { handler.on_text([](const InboundMessage&) {}); });
    program.receive(message(1, "Hi"));
    program.run_all();
    program.advance(1h);
    CHECK(program.inbox->try_purge(program.clock->now()).value() == 1);
    CHECK(program.receive(message(1, "Hi")) == 200);
    CHECK(program.heard->webhooks.back() == WebhookOutcome::duplicate);
}

TEST_CASE("threads handle what comes in, each customer's in order, and stop waits for them") {
    const auto storage = std::make_shared<MemoryOutbox>();
    twiliowa::Outbox outbox{storage};
    const auto inbox = std::make_shared<DurableInbox>(outbox, InboxOptions{.workers = 4});
    WebhookHandler handler{
        twiliowa::RequestValidator{twiliowa::test::token},
        {.public_url = twiliowa::PublicUrl::fixed("https://example.com"), .inbox = inbox}};
    std::mutex mutex;
    std::map<std::string, std::vector<int>> seen;
    handler.on_text([&](const InboundMessage& inbound) {
        const std::lock_guard lock(mutex);
        seen[inbound.from].push_back(std::stoi(inbound.body));
        return MessagingResponse{"Thank you"};
    });
    inbox->start();
    constexpr int messages = 200;
    for (int i = 0; i < messages; ++i) {
        CHECK(handler
                  .handle(message(i, std::to_string(i),
                                  "whatsapp:+4477009001" + std::to_string(10 + i % 5)))
                  .status == 200);
    }
    while (inbox->counts().of(InboxState::done) < messages) std::this_thread::yield();
    CHECK(inbox->drain(10s));
    inbox->stop();
    CHECK_FALSE(inbox->is_running());
    CHECK(seen.size() == 5);
    for (const auto& [customer, numbers] : seen) {
        CHECK(numbers.size() == 40);
        CHECK(std::is_sorted(numbers.begin(), numbers.end()));
    }
    CHECK(outbox.counts().of(JobState::ready) == messages);
}

TEST_CASE("a WebhookHandler that goes waits for its handlers, and what is left waits on") {
    const auto storage = std::make_shared<MemoryOutbox>();
    const auto inbox = std::make_shared<DurableInbox>(storage, InboxOptions{.workers = 1});
    auto handler = std::make_unique<WebhookHandler>(
        twiliowa::RequestValidator{twiliowa::test::token},
        twiliowa::WebhookOptions{.public_url = twiliowa::PublicUrl::fixed("https://example.com"),
                                 .inbox = inbox});
    std::atomic<bool> inside{false};
    std::atomic<bool> go_on{false};
    std::atomic<bool> ended{false};
    handler->on_text([&](const InboundMessage&) {
        inside = true;
        while (!go_on) std::this_thread::yield();
        ended = true;
    });
    handler->handle(message(1, "A1"));
    handler->handle(message(2, "A2"));
    inbox->start();
    while (!inside) std::this_thread::yield();
    // It goes on once it is known that there is nobody to handle the other one.
    std::thread other{[&] {
        while (inbox->try_run_until_idle()) std::this_thread::yield();
        go_on = true;
    }};
    handler.reset();
    CHECK(ended);
    other.join();
    inbox->stop();
    CHECK(inbox->counts().of(InboxState::running) == 0);
    CHECK(inbox->counts().of(InboxState::done) == 1);
    CHECK(inbox->counts().of(InboxState::waiting) == 1);
}

TEST_CASE("an inbox is sampled for a scrape") {
    Program program;
    program.use([](WebhookHandler& handler) { handler.on_message([](const InboundMessage&) {}); });
    twiliowa::MetricsObserver metrics;
    const auto source = metrics.add_source(
        [&](twiliowa::MetricSamples& samples) { twiliowa::add_samples(samples, *program.inbox); });
    CHECK(program.receive(message(1, "a")) == 200);
    program.advance(90s);
    CHECK(program.receive(message(2, "b")) == 200);
    auto text = metrics.text();
    for (const auto* const line : {"twiliowa_inbox_events{state=\"waiting\"} 2\n",
                                   "twiliowa_inbox_events{state=\"running\"} 0\n",
                                   "twiliowa_inbox_events{state=\"dead\"} 0\n",
                                   "twiliowa_inbox_oldest_waiting_seconds 90\n"}) {
        CHECK(text.find(line) != std::string::npos);
    }
    program.run_all();
    text = metrics.text();
    CHECK(text.find("twiliowa_inbox_oldest_waiting_seconds 0\n") != std::string::npos);
}

}  // namespace durable_inbox_test
