#include <twiliowa/outbox/outbox.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "outbox/marker.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

using namespace std::chrono_literals;
using twiliowa::AttemptState;
using twiliowa::DeadReason;
using twiliowa::EnqueuedJob;
using twiliowa::Evidence;
using twiliowa::JobOptions;
using twiliowa::JobOutcome;
using twiliowa::JobState;
using twiliowa::MessagesClient;
using twiliowa::OnUnknown;
using twiliowa::OutboundMessage;
using twiliowa::OutboundText;
using twiliowa::Outbox;
using twiliowa::OutboxAccount;
using twiliowa::OutboxOptions;
using twiliowa::Outcome;
using twiliowa::Pause;
using twiliowa::Resolution;
using twiliowa::StatusCallback;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::Lifecycle;
using twiliowa::testing::ManualClock;
using twiliowa::testing::MemoryOutbox;

using outbox_test::customer;
using outbox_test::Service;

namespace {

template <class Call>
std::string field_of(Call call) {
    const auto result = call();
    return result ? std::string{} : result.error().field();
}

}  // namespace

TEST_CASE("what is enqueued is sent once, and its answer noted") {
    Service service;
    const auto job = service.enqueue("Hi", {.key = "order-17", .tag = "orders"});
    CHECK(job.state == JobState::ready);
    CHECK(service.at_twilio() == 0);
    CHECK(service.outbox->run_until_idle().sent == 1);
    CHECK(service.outbox->run_until_idle().sent == 0);
    REQUIRE(service.at_twilio() == 1);
    const auto known = service.outbox->find("", "order-17").value();
    CHECK(known.state == JobState::accepted);
    CHECK(known.sid == service.fake->messages().front().sid);
    CHECK(known.evidence == Evidence::answer);
    CHECK(known.tag == "orders");
    CHECK(known.attempts.size() == 1);
    CHECK(known.attempts[0].account_sid == FakeTwilio::demo_account_sid);
    CHECK(known.message->body == "Hi");
}

TEST_CASE(
    "ids of jobs go with the time, and those that are handed over together follow each other") {
    Service service;
    const auto ids_of = [&](std::size_t count) {
        const std::vector<twiliowa::NewJob> jobs(count,
                                                 {OutboundText{.to = customer, .body = "Hi"}, {}});
        std::vector<twiliowa::JobId> ids;
        for (const auto& job : service.outbox->enqueue_all(jobs)) ids.push_back(job.value().id);
        return ids;
    };
    const auto first = ids_of(300);
    service.advance(1ms);
    const auto second = ids_of(300);
    for (const auto* const ids : {&first, &second}) {
        for (std::size_t i = 1; i < ids->size(); ++i) CHECK((*ids)[i - 1] < (*ids)[i]);
    }
    CHECK(first.back() < second.front());
    // What two calls of one moment draw is not the same.
    std::set<twiliowa::JobId> drawn;
    for (int i = 0; i < 200; ++i) drawn.insert(ids_of(1).front());
    CHECK(drawn.size() == 200);
}

TEST_CASE("a process that was forked does not draw the ids that the other draws") {
    Service service;
    service.enqueue();
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const auto child = ::fork();
    if (child == 0) {
        const auto id = service.enqueue().id;
        const auto& bytes = id.bytes();
        ::_exit(::write(ends[1], bytes.data(), bytes.size()) == 10 ? 0 : 1);
    }
    twiliowa::JobId::Bytes drawn{};
    CHECK(::read(ends[0], drawn.data(), drawn.size()) == 10);
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    CHECK(service.enqueue().id != twiliowa::JobId{drawn});
}

TEST_CASE(
    "a key that is handed over again is the job that has it; with another message it is refused") {
    Service service;
    const auto first = service.enqueue("Hi", {.key = "k"});
    const auto again = service.enqueue("Hi", {.key = "k"});
    CHECK(again.existed);
    CHECK(again.id == first.id);
    CHECK(field_of([&] {
              return service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Ho"},
                                                 {.key = "k"});
          }) == "key");
    CHECK_FALSE(service.enqueue("Ho", {.key = "k", .tenant = "other"}).existed);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 2);
    CHECK(service.enqueue("Hi", {.key = "k"}).state == JobState::accepted);
}

TEST_CASE("what was handed over is known by its key when its time has passed, too") {
    Service service;
    const JobOptions code{.key = "code", .expires_at = service.clock->now() + 10min};
    const auto first = service.enqueue("1234", code);
    service.advance(10min);
    const auto again = service.enqueue("1234", code);
    CHECK(again.existed);
    CHECK(again.id == first.id);
    const auto field = [&](const std::string& body, const JobOptions& options) {
        return field_of([&] {
            return service.outbox->try_enqueue(OutboundText{.to = customer, .body = body}, options);
        });
    };
    CHECK(field("5678", code) == "key");
    CHECK(field("1234", {.key = "other", .expires_at = code.expires_at}) == "expires_at");
    const std::vector<twiliowa::NewJob> jobs{{OutboundText{.to = customer, .body = "1234"}, code},
                                             {OutboundText{.to = customer, .body = "1234"},
                                              {.key = "other", .expires_at = code.expires_at}}};
    const auto answers = service.outbox->enqueue_all(jobs);
    CHECK(answers[0]->id == first.id);
    CHECK_FALSE(answers[1]);
    CHECK(service.outbox->list().size() == 1);
}

TEST_CASE("what a send would refuse is refused when it is handed over, by name") {
    Service service;
    const auto field = [&](OutboundMessage message, JobOptions job = {}) {
        return field_of([&] { return service.outbox->try_enqueue(message, job); });
    };
    CHECK(field(OutboundText{.to = "+44", .body = "Hi"}) == "To");
    CHECK(field(OutboundText{.to = customer, .body = ""}) == "Body");
    CHECK(field(OutboundText{.to = customer, .body = "\xff"}) == "Body");
    const OutboundMessage fine = OutboundText{.to = customer, .body = "Hi"};
    CHECK(field(fine, {.key = std::string(201, 'k')}) == "key");
    CHECK(field(fine, {.tag = std::string("\n")}) == "tag");
    CHECK(field(fine, {.expires_at = service.clock->now()}) == "expires_at");
    auto scheduled = fine;
    scheduled.send_at = service.clock->now() + 1h;
    CHECK(field(scheduled) == "send_at");
    auto huge = fine;
    huge.extra = {{"Parameter", std::string(300'000, 'x')}};
    CHECK(field(huge) == "message");
    CHECK(service.outbox->counts().by_state.empty());
}

TEST_CASE("an outbox whose callback URL Twilio would refuse is refused when it is made") {
    for (const auto* const url : {"no url", "ftp://a.example/", "https://a_b.example/"}) {
        CAPTURE(url);
        try {
            Outbox outbox{std::make_shared<MemoryOutbox>(), {.status_callback = url}};
            FAIL("it was made");
        } catch (const twiliowa::InvalidRequestError& error) {
            CHECK(error.field() == "status_callback");
        }
    }
}

TEST_CASE("a batch takes in what is right and refuses the rest") {
    Service service;
    const std::vector<twiliowa::NewJob> jobs{
        {OutboundText{.to = customer, .body = "1"}, {.key = "1"}},
        {OutboundText{.to = "nobody", .body = "2"}, {.key = "2"}},
        {OutboundText{.to = customer, .body = "3"}, {.key = "1"}},
        {OutboundText{.to = customer, .body = "4"}, {.key = "4"}}};
    const auto answers = service.outbox->enqueue_all(jobs);
    REQUIRE(answers.size() == 4);
    CHECK(answers[0]);
    CHECK_FALSE(answers[1]);
    CHECK_FALSE(answers[2]);
    CHECK(answers[3]);
    CHECK(service.outbox->counts().of(JobState::ready) == 2);
}

TEST_CASE("too many that wait are refused by name, those that are there already not") {
    Service service{{.max_waiting = 3, .max_waiting_per_tenant = 2}};
    service.enqueue("1", {.key = "1", .tenant = "a"});
    service.enqueue("2", {.key = "2", .tenant = "a"});
    const auto more = [&](std::string key, std::string tenant) {
        return field_of([&] {
            return service.outbox->try_enqueue(OutboundText{.to = customer, .body = key},
                                               {.key = key, .tenant = tenant});
        });
    };
    CHECK(more("3", "a") == "max_waiting_per_tenant");
    CHECK(more("2", "a").empty());
    CHECK(more("3", "b").empty());
    CHECK(more("4", "c") == "max_waiting");
    service.outbox->run_until_idle();
    CHECK(more("4", "c").empty());
}

TEST_CASE("the oldest job that is due is told, and what is not due yet is none") {
    Service service;
    const auto later = service.enqueue("later", {.not_before = service.clock->now() + 1h});
    CHECK(!service.outbox->oldest_due().has_value());
    const auto since = service.clock->now();
    service.enqueue("first");
    service.advance(5min);
    service.enqueue("second", {.lane = twiliowa::Lane::urgent});
    CHECK(service.outbox->oldest_due().value() == since);
    CHECK(service.outbox->counts().now - since == 5min);
    service.outbox->run_until_idle();
    CHECK(!service.outbox->oldest_due().has_value());
    CHECK(service.outbox->find(later.id).value().state == JobState::ready);
}

TEST_CASE("an outbox is sampled for a scrape") {
    Service service;
    twiliowa::MetricsObserver metrics;
    const auto source = metrics.add_source(
        [&](twiliowa::MetricSamples& samples) { twiliowa::add_samples(samples, *service.outbox); });
    service.enqueue();
    service.advance(90s);
    service.outbox->pause({.of = Pause::Of::tenant, .name = "a"});
    const auto text = metrics.text();
    for (const auto* const line :
         {"twiliowa_outbox_jobs{state=\"ready\"} 1\n", "twiliowa_outbox_jobs{state=\"held\"} 0\n",
          "twiliowa_outbox_oldest_ready_seconds 90\n", "twiliowa_outbox_pauses{of=\"tenant\"} 1\n",
          "twiliowa_outbox_pauses{of=\"sender\"} 0\n"}) {
        CHECK(text.find(line) != std::string::npos);
    }
}

TEST_CASE("nothing is sent that is not written down before") {
    Service service;
    const auto job = service.enqueue();
    service.storage->set_works(false);
    CHECK_FALSE(service.outbox->try_run_until_idle());
    CHECK(service.at_twilio() == 0);
    CHECK_FALSE(service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}));
    service.storage->set_works(true);
    CHECK(service.outbox->run_until_idle().sent == 1);
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("an answer that is lost is found in Twilio's list") {
    Service service;
    const auto job = service.enqueue("A text of its own");
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::unknown);
    CHECK(service.at_twilio() == 1);
    service.advance(6s);
    CHECK(service.outbox->run_until_idle().looks == 1);
    const auto found = service.job(job);
    CHECK(found.state == JobState::accepted);
    CHECK(found.evidence == Evidence::list);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("a callback with the job's marker proves the send, before the answer and after it") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.state(job) == JobState::unknown);
    service.outbox->learn(service.callback("delivered"));
    service.outbox->learn(service.callback("sent"));
    const auto known = service.job(job);
    CHECK(known.state == JobState::delivered);
    CHECK(known.evidence == Evidence::callback);
    CHECK(known.sid == service.fake->messages().front().sid);
}

TEST_CASE("what a look had found is let go when its callbacks show that it was somebody else's") {
    Service service;
    const auto job = service.enqueue("The same");
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    // A program beside the outbox sends the same text to the same customer.
    service.client->send_text({.to = customer, .body = "The same"});
    service.advance(6s);
    service.outbox->run_until_idle();
    REQUIRE(service.state(job) == JobState::accepted);
    service.outbox->learn(service.callback("delivered"));
    CHECK(service.state(job) == JobState::unknown);
    CHECK(service.job(job).sid.empty());
}

TEST_CASE("a message whose callbacks show that it is somebody else's is found by no later look") {
    for (const bool another_outboxs : {false, true}) {
        for (const bool told_first : {false, true}) {
            CAPTURE(another_outboxs);
            CAPTURE(told_first);
            Service service;
            const auto job = service.enqueue("The same");
            service.fake->next_fault(Fault::internal_error);
            service.outbox->run_until_idle();
            service.client->send_text({.to = customer, .body = "The same"});
            auto callback = service.callback("delivered");
            if (another_outboxs) {
                const twiliowa::detail::Marker theirs{service.storage->outbox_id() + 1, job.id, {}};
                callback.query = {{"twj", theirs.str()}};
            }
            if (told_first) service.outbox->learn(callback);
            service.advance(6s);
            service.outbox->run_until_idle();
            CHECK(service.state(job) == (told_first ? JobState::unknown : JobState::accepted));
            if (!told_first) service.outbox->learn(callback);
            for (const auto step : {1min, 3min, 11min}) {
                service.advance(step);
                service.outbox->run_until_idle();
            }
            CHECK(service.state(job) == JobState::unknown);
            CHECK(service.job(job).sid.empty());
        }
    }
}

TEST_CASE("who signs for another account takes no evidence away") {
    Service service;
    const auto job = service.enqueue("Its own");
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    auto foreign = service.callback("delivered");
    foreign.account_sid = twiliowa::AccountSid{"AC" + std::string(32, '9')};
    foreign.query.clear();
    service.outbox->learn(foreign);
    service.advance(6s);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("sealed, a storage tells no number, key or text, and everything works as before") {
    const auto key = *twiliowa::KeyRing::try_parse(twiliowa::KeyRing::new_key("k1").reveal());
    OutboxOptions options;
    options.sealer = twiliowa::Sealer{key};
    Service service{options};
    const auto job =
        service.enqueue("Secret text", {.key = "key-of-lee", .order_key = "order-of-lee"});
    const auto second =
        service.enqueue("Second text", {.key = "another key", .order_key = "order-of-lee"});
    CHECK(
        service.enqueue("Secret text", {.key = "key-of-lee", .order_key = "order-of-lee"}).existed);
    CHECK(field_of([&] {
              return service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Other"},
                                                 {.key = "key-of-lee"});
          }) == "key");
    const auto none_shows = [&] {
        const auto done = service.storage->transact([&](twiliowa::OutboxTransaction& transaction) {
            for (const auto& row : *transaction.list({})) {
                for (const auto* const text :
                     {&row.key, &row.order_key, &row.customer, &row.payload, &row.content_hash,
                      &row.problem, &row.sender}) {
                    CHECK(text->find("447700900123") == std::string::npos);
                    CHECK(text->find("-of-lee") == std::string::npos);
                    CHECK(text->find(" text") == std::string::npos);
                }
            }
            return twiliowa::Result<void>{};
        });
        CHECK(done);
    };
    none_shows();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    CHECK(service.state(second) == JobState::ready);
    service.outbox->learn(service.callback("delivered"));
    CHECK(service.state(job) == JobState::delivered);
    service.outbox->run_until_idle();
    CHECK(service.state(second) == JobState::accepted);
    none_shows();
    const auto known = service.outbox->find("", "key-of-lee").value();
    CHECK(known.key == "key-of-lee");
    CHECK(known.order_key == "order-of-lee");
    CHECK(known.message->body == "Secret text");
    SUBCASE("without the key nothing is read, and nothing sent") {
        const auto third = service.enqueue("Third text");
        service.options.sealer.reset();
        service.restart();
        CHECK_FALSE(service.job(job).message);
        service.outbox->run_until_idle();
        CHECK(service.at_twilio() == 2);
        // It waits for who has the key.
        CHECK(service.state(third) == JobState::ready);
        service.options.sealer = options.sealer;
        service.restart();
        service.advance(1min);
        service.outbox->run_until_idle();
        CHECK(service.state(third) == JobState::accepted);
    }
    SUBCASE("with a newer key the old jobs are still known") {
        auto text = std::string{twiliowa::KeyRing::new_key("k2").reveal()} + "\n" +
                    std::string{key.to_text().reveal()};
        service.options.sealer = twiliowa::Sealer{*twiliowa::KeyRing::try_parse(text)};
        service.restart();
        CHECK(service.enqueue("Secret text", {.key = "key-of-lee", .order_key = "order-of-lee"})
                  .existed);
        CHECK(service.outbox->find("", "key-of-lee"));
        CHECK(*service.outbox->try_reseal() == 2);
        CHECK(*service.outbox->try_reseal() == 0);
        // The old key may go now.
        service.options.sealer =
            twiliowa::Sealer{*twiliowa::KeyRing::try_parse(text.substr(0, text.find('\n')))};
        service.restart();
        CHECK(service.outbox->find("", "key-of-lee")->message->body == "Secret text");
        CHECK(service.enqueue("Secret text", {.key = "key-of-lee", .order_key = "order-of-lee"})
                  .existed);
    }
}

TEST_CASE("an outbox that gets a key seals what it kept before in the clear") {
    Service service;
    const auto job = service.enqueue("Secret text", {.key = "k"});
    service.options.sealer =
        twiliowa::Sealer{*twiliowa::KeyRing::try_parse(twiliowa::KeyRing::new_key("k1").reveal())};
    service.restart();
    CHECK(service.enqueue("Secret text", {.key = "k"}).existed);
    CHECK(*service.outbox->try_reseal() == 1);
    CHECK(service.enqueue("Secret text", {.key = "k"}).existed);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("a callback of another outbox, of another account or of nothing changes nothing") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    auto foreign = service.callback("delivered");
    foreign.query = {{"twj", std::string(32, 'a')}};
    service.outbox->learn(foreign);
    auto cut = service.callback("delivered");
    cut.query = {{"twj", service.callback("delivered").query[0].second.substr(0, 30)}};
    service.outbox->learn(cut);
    auto other = service.callback("delivered");
    other.account_sid = twiliowa::AccountSid{"AC" + std::string(32, '9')};
    service.outbox->learn(other);
    CHECK(service.state(job) == JobState::unknown);
    CHECK(service.outbox->counts().of(JobState::held) == 0);
}

TEST_CASE("a marker at somebody else's message holds the job, with its SID") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    auto wrong = service.callback("sent");
    wrong.to = "whatsapp:+447700900999";
    service.outbox->learn(wrong);
    CHECK(service.state(job) == JobState::held);
    CHECK(service.job(job).sid == wrong.sid);
    CHECK_FALSE(service.outbox->resolve(job.id, Resolution::not_sent()));
}

TEST_CASE("a worker that dies with the answer leaves an unknown outcome, never a second message") {
    /// The disk is gone as soon as the request has left.
    struct Unplugging : twiliowa::Observer {
        void on_attempt(const twiliowa::AttemptEvent&) noexcept override {
            if (storage) storage->set_works(false);
        }
        std::shared_ptr<MemoryOutbox> storage;
    };
    twiliowa::ClientOptions chosen;
    auto unplugging = std::make_shared<Unplugging>();
    chosen.observer = unplugging;
    Service service{{}, chosen};
    const auto job = service.enqueue("Once");
    unplugging->storage = service.storage;
    CHECK_FALSE(service.outbox->try_run_until_idle());
    REQUIRE(service.at_twilio() == 1);
    // What comes up again knows what was written down before the first byte.
    unplugging->storage.reset();
    service.outbox.reset();
    service.storage->set_works(true);
    service.restart();
    CHECK(service.state(job) == JobState::sending);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::sending);
    service.advance(61s);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::unknown);
    service.advance(6s);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("what nothing shows is held, and a person says what became of it") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::unknown);
    for (int i = 0; i < 12 && service.state(job) == JobState::unknown; ++i) {
        service.advance(11h);
        service.outbox->run_until_idle();
    }
    CHECK(service.state(job) == JobState::held);
    CHECK(service.at_twilio() == 0);
    CHECK(service.outbox->resolve(job.id, Resolution::not_sent()));
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("who said what became of a job, and why, is kept with it") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_before);
    service.outbox->run_until_idle();
    REQUIRE(service.state(job) == JobState::unknown);
    CHECK_FALSE(service.job(job).decision);
    const auto refused = [&](const Resolution& resolution) {
        const auto answer = service.outbox->try_resolve(job.id, resolution);
        return answer ? std::string{} : answer.error().field();
    };
    CHECK(refused(Resolution::drop().by(std::string(101, 'x'))) == "by");
    CHECK(refused(Resolution::drop().by("ann", std::string(201, 'x'))) == "why");
    CHECK(refused(Resolution::drop().by("a\nb")) == "by");
    service.advance(1s);
    CHECK(service.outbox->resolve(job.id, Resolution::not_sent().by("ann", "not in the console")));
    const auto decision = service.job(job).decision;
    REQUIRE(decision);
    CHECK(decision->by == "ann");
    CHECK(decision->why == "not in the console");
    CHECK(decision->at == service.clock->now());
}

TEST_CASE("a policy that sends again does so after its time, and says when it went twice") {
    Service service{{.on_unknown = OnUnknown::resend_after(10min, 2)}};
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    for (int i = 0; i < 30 && service.at_twilio() == 0; ++i) {
        service.advance(1min);
        service.outbox->run_until_idle();
    }
    CHECK(service.at_twilio() == 1);
    const auto known = service.job(job);
    CHECK(known.state == JobState::accepted);
    CHECK(known.attempts.size() == 2);
    CHECK(known.attempts[1].may_duplicate);
}

TEST_CASE("a refusal for good is dead with Twilio's code; one that passes is tried again") {
    Service service;
    const auto bad = service.outbox->enqueue(OutboundText{.to = "+15005550001", .body = "Hi"});
    const auto busy = service.outbox->enqueue(OutboundText{.to = "+15005550029", .body = "Hi"});
    service.outbox->run_until_idle();
    CHECK(service.job(bad).state == JobState::dead);
    CHECK(service.job(bad).reason == DeadReason::refused);
    CHECK(service.job(bad).error_code == 21211);
    CHECK(service.job(busy).state == JobState::ready);
    for (int i = 0; i < 40; ++i) {
        service.advance(30min);
        service.outbox->run_until_idle();
    }
    CHECK(service.job(busy).reason == DeadReason::exhausted);
    CHECK(service.outbox->retry(busy.id));
    CHECK(service.job(busy).state == JobState::ready);
}

TEST_CASE("who has opted out since is not written to") {
    auto store = std::make_shared<twiliowa::MemoryStore>();
    auto opt_outs = std::make_shared<twiliowa::OptOuts>(store);
    Service service{{}, {.opt_outs = opt_outs}};
    const auto job = service.enqueue();
    opt_outs->opt_out(FakeTwilio::demo_sender, std::string("whatsapp:") + customer).value();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 0);
    CHECK(service.job(job).state == JobState::dead);
    CHECK(service.job(job).reason == DeadReason::opted_out);
}

TEST_CASE("an account that is switched off waits, one that nobody knows is held") {
    bool on = false;
    OutboxOptions options;
    Service* self = nullptr;
    options.client = [&](std::string_view account) {
        if (account == "nobody") return OutboxAccount::unknown();
        return on ? OutboxAccount{*self->client} : OutboxAccount::switched_off();
    };
    Service service{options};
    self = &service;
    const std::string from{FakeTwilio::demo_sender};
    const auto send = [&](std::string account) {
        return service.outbox->enqueue(OutboundText{.to = customer, .body = "Hi", .from = from},
                                       {.account = account});
    };
    const auto waits = send("club");
    const auto held = send("nobody");
    service.outbox->run_until_idle();
    CHECK(service.state(waits) == JobState::ready);
    CHECK(service.state(held) == JobState::held);
    on = true;
    service.outbox->run_until_idle();
    CHECK(service.state(waits) == JobState::accepted);
}

TEST_CASE("a client that may duplicate is refused by name") {
    twiliowa::ClientOptions chosen;
    chosen.retry.retry_may_duplicate = true;
    Service service{{}, chosen};
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::held);
    CHECK(service.job(job).problem.find("retry_may_duplicate") != std::string::npos);
    CHECK(service.at_twilio() == 0);
}

TEST_CASE("a pause holds back, and lets go") {
    Service service;
    const auto job = service.enqueue("Hi", {.tenant = "club"});
    Pause pause;
    SUBCASE("of everything") {}
    SUBCASE("of its sender") {
        pause = {.of = Pause::Of::sender, .name = std::string(FakeTwilio::demo_sender)};
    }
    SUBCASE("of its tenant") {
        pause = {.of = Pause::Of::tenant, .name = "club"};
    }
    service.outbox->pause(pause);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::ready);
    CHECK(service.outbox->try_pauses()->size() == 1);
    service.outbox->resume(pause.of, pause.name);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

namespace {

/// An outbox whose account has a token that Twilio does not know any more.
struct RotatedService : Service {
    RotatedService()
        : Service([this] {
              OutboxOptions asked;
              asked.client = [this](std::string_view) { return OutboxAccount{*current}; };
              return asked;
          }()) {
        use(FakeTwilio::demo_auth_token);
        fake->add_account(FakeTwilio::demo_account_sid, new_token);
    }
    void use(std::string_view token, std::shared_ptr<twiliowa::Observer> observer = {}) {
        auto client_options = fake->client_options();
        client_options.observer = std::move(observer);
        current = std::make_unique<MessagesClient>(
            twiliowa::Credentials::auth_token(FakeTwilio::demo_account_sid, token), client_options);
    }
    static constexpr std::string_view new_token = "fedcba9876543210fedcba9876543210";
    std::unique_ptr<MessagesClient> current = {};
};

}  // namespace

TEST_CASE("an account whose credentials were refused goes on when it has others") {
    RotatedService service;
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    REQUIRE(service.outbox->try_pauses()->size() == 1);
    service.advance(1min);
    SUBCASE("in the program that was refused") {}
    service.outbox->run_until_idle();
    CHECK(service.outbox->try_pauses()->size() == 1);
    CHECK(service.job(job).attempts.size() == 1);
    service.use(RotatedService::new_token);
    SUBCASE("in one that was started again with them") {
        service.restart();
    }
    service.outbox->run_until_idle();
    CHECK(service.outbox->try_pauses()->empty());
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("an account that a person paused waits for a person, whatever its credentials are") {
    RotatedService service;
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    service.outbox->pause({.of = Pause::Of::account, .reason = "under repair"});
    service.advance(1min);
    service.use(RotatedService::new_token);
    service.outbox->run_until_idle();
    CHECK(service.outbox->try_pauses()->size() == 1);
    CHECK(service.state(job) == JobState::ready);
    service.outbox->resume(Pause::Of::account, "");
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("a person's pause that comes while credentials are refused stays a person's") {
    struct Pausing : twiliowa::Observer {
        void on_attempt(const twiliowa::AttemptEvent&) noexcept override {
            outbox->pause({.of = Pause::Of::account, .reason = "under repair"});
        }
        Outbox* outbox = nullptr;
    };
    const auto observer = std::make_shared<Pausing>();
    RotatedService service;
    service.use(FakeTwilio::demo_auth_token, observer);
    observer->outbox = service.outbox.get();
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    service.advance(1min);
    service.use(RotatedService::new_token);
    service.outbox->run_until_idle();
    REQUIRE(service.outbox->try_pauses()->size() == 1);
    CHECK(service.outbox->try_pauses()->front().reason == "under repair");
    CHECK(service.state(job) == JobState::ready);
}

TEST_CASE("credentials that Twilio refuses pause the account, and cost no job anything") {
    Service service;
    const auto job = service.enqueue();
    service.fake->add_account(FakeTwilio::demo_account_sid, "another token");
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::ready);
    REQUIRE(service.outbox->try_pauses()->size() == 1);
    CHECK(service.outbox->try_pauses()->front().of == Pause::Of::account);
    service.fake->add_account(FakeTwilio::demo_account_sid, FakeTwilio::demo_auth_token);
    service.outbox->resume(Pause::Of::account, "");
    service.advance(1min);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("an outage makes three outcomes unknown, not all of them") {
    Service service;
    std::vector<EnqueuedJob> jobs;
    for (int i = 0; i < 200; ++i) jobs.push_back(service.enqueue("Text " + std::to_string(i)));
    service.options.concurrency = 1;
    service.restart();
    service.fake->set_fault_rate(Fault::internal_error, 1.0);
    for (int i = 0; i < 60; ++i) {
        service.outbox->run_until_idle();
        service.advance(5s);
    }
    const auto counts = service.outbox->counts();
    CHECK(counts.of(JobState::unknown) <= 3 + 8);
    service.fake->clear_faults();
    for (int i = 0; i < 200; ++i) {
        service.advance(10min);
        service.outbox->run_until_idle();
    }
    CHECK(service.at_twilio() + 11 >= 200);
    CHECK(service.outbox->counts().of(JobState::ready) == 0);
}

TEST_CASE("a limiter's slot is taken once for each message") {
    twiliowa::ClientOptions chosen;
    chosen.rate_limiter = twiliowa::token_bucket({.per_second = 10.0});
    Service service{{}, chosen};
    for (int i = 0; i < 20; ++i) service.enqueue("Text " + std::to_string(i));
    const auto begun = service.clock->monotonic_now();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 20);
    const auto took = service.clock->monotonic_now() - begun;
    CHECK(took >= 1'900ms);
    CHECK(took <= 2'000ms);
}

TEST_CASE("jobs of one order_key go one after the other") {
    Service service;
    const auto first = service.enqueue("1", {.order_key = "o"});
    const auto second = service.enqueue("2", {.order_key = "o"});
    const auto free = service.enqueue("3");
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    CHECK(service.state(first) == JobState::unknown);
    CHECK(service.state(second) == JobState::ready);
    CHECK(service.state(free) == JobState::accepted);
    CHECK(service.outbox->resolve(first.id, Resolution::not_sent()));
    service.outbox->run_until_idle();
    CHECK(service.state(first) == JobState::accepted);
    CHECK(service.state(second) == JobState::accepted);
    CHECK(service.fake->messages().front().body == "2");
}

TEST_CASE("what is not due waits, what has expired does not go, what is cancelled neither") {
    Service service;
    const auto later = service.enqueue("later", {.not_before = service.clock->now() + 1h});
    const auto expires = service.enqueue("expires", {.not_before = service.clock->now() + 1h,
                                                     .expires_at = service.clock->now() + 2h});
    const auto cancelled = service.enqueue("cancelled");
    CHECK(service.outbox->cancel(cancelled.id));
    const auto report = service.outbox->run_until_idle();
    CHECK(report.sent == 0);
    CHECK(report.next_due == service.clock->now() + 1h);
    service.outbox->pause({});
    service.advance(2h);
    service.outbox->run_until_idle();
    CHECK(service.job(expires).reason == DeadReason::expired);
    service.outbox->resume(Pause::Of::outbox);
    service.outbox->run_until_idle();
    CHECK(service.state(later) == JobState::accepted);
    CHECK(service.state(cancelled) == JobState::cancelled);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("outcomes are told in order, after they are written down, again after a handler threw") {
    Service service;
    std::vector<Outcome> told;
    int throws = 1;
    service.handler = [&](const JobOutcome& outcome) {
        if (throws-- > 0) throw std::runtime_error("not now");
        told.push_back(outcome.outcome);
    };
    service.restart();
    service.enqueue();
    CHECK_FALSE(service.outbox->try_run_until_idle());
    CHECK(told.empty());
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    service.outbox->learn(service.callback("read"));
    service.restart();
    service.outbox->run_until_idle();
    CHECK(told == std::vector{Outcome::accepted, Outcome::delivered, Outcome::read});
    CHECK(service.outbox->try_outcomes(0)->size() == 3);
}

TEST_CASE("a storage that went back in time is noticed, and nothing of it goes twice") {
    Service service;
    std::vector<EnqueuedJob> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(service.enqueue("Text " + std::to_string(i)));
    auto backup = service.storage->copy();
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 10);
    backup->set_identity("another machine");
    service.storage = backup;
    service.restart();
    service.advance(1min);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 10);
    for (const auto& job : jobs) CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("what a restored storage cannot show is held as one group") {
    Service service;
    service.enqueue("1");
    service.enqueue("2");
    service.outbox.reset();
    service.storage->set_identity("another machine");
    service.restart();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 0);
    CHECK(service.outbox->counts().of(JobState::held) == 2);
    CHECK(*service.outbox->try_resolve_suspects(Resolution::not_sent()) == 2);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 2);
}

namespace {

/// One of two storages: where a name leads.
struct SwitchedStorage final : twiliowa::OutboxStorage {
    twiliowa::Result<void> transact(const Work& work) override { return behind->transact(work); }
    std::uint32_t outbox_id() const override { return behind->outbox_id(); }
    twiliowa::LeaseTime lease_now() const override { return behind->lease_now(); }
    std::string identity() const override { return behind->identity(); }

    std::shared_ptr<twiliowa::testing::MemoryOutbox> behind;
};

}  // namespace

TEST_CASE(
    "a storage that comes back after another was used is noticed, though it calls itself what it "
    "was") {
    Service service;
    const auto switched = std::make_shared<SwitchedStorage>();
    switched->behind = service.storage;
    service.wrapped = [&] { return switched; };
    service.restart();
    service.outbox->run_until_idle();
    const auto job = service.enqueue("Once");
    const auto standby = service.storage->copy();
    standby->set_identity("another timeline");
    switched->behind = standby;
    service.outbox->try_run_until_idle().value();
    service.outbox->run_until_idle();
    CHECK(service.outbox->try_resolve_suspects(Resolution::not_sent()).value() == 1);
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 1);
    switched->behind = service.storage;
    service.advance(1min);
    service.outbox->run_until_idle();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("a marker that the storage does not know makes everything else suspect") {
    Service service;
    const auto sent = service.enqueue("sent");
    auto backup = service.storage->copy();
    service.outbox->run_until_idle();
    const auto told = service.callback("sent");
    service.storage = backup;
    service.restart();
    const auto waiting = service.enqueue("waiting");
    service.outbox->learn(told);
    CHECK(service.state(sent) == JobState::accepted);
    CHECK(service.job(waiting).suspect);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("messages that nobody else can have sent tell that a storage went back in time") {
    OutboxOptions options;
    options.exclusive_senders = true;
    SUBCASE("of a sender of its own") {}
    SUBCASE("not of one that others use") {
        options.exclusive_senders = false;
    }
    Service service{options};
    service.enqueue("first");
    service.outbox->run_until_idle();
    const auto lost = service.enqueue("second", {.key = "second"});
    auto backup = service.storage->copy();
    service.advance(10min);
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 2);
    service.storage = backup;
    service.restart();
    service.advance(10min);
    const auto waiting = service.enqueue("third");
    service.outbox->run_until_idle();
    if (options.exclusive_senders) {
        CHECK(service.job(lost).state == JobState::accepted);
        CHECK(service.job(lost).evidence == Evidence::list);
        CHECK(service.state(waiting) == JobState::held);
        CHECK(service.at_twilio() == 2);
    } else {
        CHECK(service.at_twilio() == 4);
    }
}

TEST_CASE("what Twilio lists and a storage explains makes nothing suspect") {
    OutboxOptions options;
    options.exclusive_senders = true;
    Service service{options};
    SUBCASE("what it has sent") {
        service.enqueue("first");
    }
    SUBCASE("what it may have sent") {
        service.enqueue("first");
        service.fake->next_fault(Fault::close_after);
    }
    SUBCASE("nothing, as Twilio does not answer") {
        service.fake->set_fault_rate(Fault::unavailable, 1.0);
        service.enqueue("first");
        service.outbox->run_until_idle();
        service.fake->clear_faults();
    }
    service.outbox->run_until_idle();
    service.advance(1min);
    service.restart();
    const auto waiting = service.enqueue("second");
    service.outbox->run_until_idle();
    CHECK_FALSE(service.job(waiting).suspect);
    CHECK(service.state(waiting) == JobState::accepted);
}

TEST_CASE("twins are a person's to tell apart, unless nobody else sends as that sender") {
    OutboxOptions options;
    SUBCASE("shared sender") {}
    SUBCASE("exclusive sender") {
        options.exclusive_senders = true;
    }
    Service service{options};
    const auto first = service.enqueue("The same", {.key = "1"});
    const auto second = service.enqueue("The same", {.key = "2"});
    service.fake->next_fault(Fault::close_after);
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 1);
    service.advance(6s);
    service.outbox->run_until_idle();
    const auto accepted = service.outbox->counts().of(JobState::accepted);
    if (options.exclusive_senders) {
        CHECK(accepted == 1);
        CHECK((service.state(first) == JobState::unknown ||
               service.state(second) == JobState::unknown));
    } else {
        CHECK(accepted == 0);
        CHECK(service.outbox->counts().of(JobState::held) == 2);
    }
}

TEST_CASE("what two accounts have sent to one customer are no twins") {
    Service service;
    const auto other_sid = "AC" + std::string(32, '9');
    service.fake->add_account(other_sid, "token-of-another");
    service.fake->add_sender(other_sid, "whatsapp:+14155550009");
    const MessagesClient other{twiliowa::Credentials::auth_token(other_sid, "token-of-another"),
                               service.fake->client_options()};
    service.options.client = [&](std::string_view account) {
        return OutboxAccount{account == "other" ? other : *service.client};
    };
    service.restart();
    const auto first = service.enqueue("The same");
    const auto second = service.outbox->enqueue(
        OutboundText{.to = customer, .body = "The same", .from = "whatsapp:+14155550009"},
        {.account = "other"});
    service.fake->next_fault(Fault::close_after);
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.outbox->counts().of(JobState::unknown) == 2);
    service.advance(6s);
    service.outbox->run_until_idle();
    CHECK(service.job(first).evidence == Evidence::list);
    CHECK(service.job(second).evidence == Evidence::list);
    CHECK(service.at_twilio() == 1);
    CHECK(other.list_page().items.size() == 1);
}

TEST_CASE("a customer who asks is told what is kept, and forgotten once it is final") {
    Service service;
    const auto its_customers = std::make_shared<const twiliowa::Customers>(
        std::make_shared<twiliowa::MemoryStore>(),
        twiliowa::CustomersOptions{.clock = service.clock});
    const auto& customers = *its_customers;
    service.options.customers = its_customers;
    service.restart();
    const auto address = *twiliowa::Address::parse(customer);
    const auto job = service.enqueue("Hi Lee", {.key = "k"});
    service.outbox->enqueue(OutboundText{.to = "+447700900999", .body = "Hi Kim"});
    CHECK(customers.export_of(address)->find("Hi Lee") != std::string::npos);
    CHECK(customers.export_of(address)->find("Hi Kim") == std::string::npos);
    const auto report = customers.forget(address).value();
    REQUIRE_FALSE(report.not_yet.empty());
    CHECK(report.not_yet.front() == "outbox");
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    // The last message is Kim's; Lee's is the other.
    twiliowa::StatusCallback delivered;
    delivered.sid = service.job(job).sid;
    delivered.account_sid = twiliowa::AccountSid{FakeTwilio::demo_account_sid};
    delivered.status = twiliowa::MessageStatus{"delivered"};
    service.outbox->learn(delivered);
    REQUIRE(service.state(job) == JobState::delivered);
    CHECK(customers.forget(address)->complete());
    CHECK_FALSE(service.job(job).message);
    CHECK(customers.export_of(address)->find("Hi Lee") == std::string::npos);
    // The key is still known: nothing goes twice.
    CHECK(service.enqueue("Hi Lee", {.key = "k"}).existed);
}

TEST_CASE("whom a message was for is found by any of their addresses, whichever sender it has") {
    Service service;
    const auto customers = std::make_shared<const twiliowa::Customers>(
        std::make_shared<twiliowa::MemoryStore>(),
        twiliowa::CustomersOptions{.brazil_ninth_digit = true, .clock = service.clock});
    service.options.customers = customers;
    service.restart();
    const auto number = *twiliowa::Address::parse("+447700900123");
    const auto id = *twiliowa::Address::parse("whatsapp:GB.4f1a");
    const std::string service_sid = "MG00000000000000000000000000000001";
    service.outbox->enqueue(OutboundText{
        .to = "sms:+447700900123", .body = "By a service", .messaging_service_sid = service_sid});
    service.outbox->enqueue(OutboundText{.to = "whatsapp:GB.4f1a", .body = "By an id"});
    service.outbox->enqueue(OutboundText{.to = "+551187654321", .body = "In Brazil"});
    const auto kept = [&](const twiliowa::Address& of, const char* text) {
        return customers->export_of(of)->find(text) != std::string::npos;
    };
    CHECK(kept(number, "By a service"));
    CHECK_FALSE(kept(number, "By an id"));
    const twiliowa::Address both[] = {number, id};
    customers->learn(*twiliowa::Sender::parse(FakeTwilio::demo_sender), both).value();
    CHECK(kept(number, "By an id"));
    CHECK(kept(id, "By a service"));
    CHECK(kept(*twiliowa::Address::parse("+5511987654321"), "In Brazil"));
    CHECK_FALSE(kept(number, "In Brazil"));
    // A storage that fails: nobody is told that there is nothing.
    struct Failing final : twiliowa::OutboxStorage {
        twiliowa::Result<void> transact(const Work&) override {
            return fails ? twiliowa::store_error("is down") : twiliowa::Result<void>{};
        }
        std::uint32_t outbox_id() const override { return 1; }
        twiliowa::LeaseTime lease_now() const override { return {}; }
        std::string identity() const override { return {}; }
        bool fails = false;
    };
    const auto failing = std::make_shared<Failing>();
    service.wrapped = [&] { return failing; };
    service.restart();
    failing->fails = true;
    CHECK_FALSE(customers->forget(number).has_value());
    CHECK_FALSE(customers->export_of(number).has_value());
}

/// Whose calls were told of.
struct HeardCalls final : twiliowa::Observer {
    std::vector<std::string> ids;
    void on_call(const twiliowa::CallEvent& event) noexcept override {
        ids.emplace_back(event.call.correlation_id);
    }
    void on_result(const twiliowa::ResultEvent& event) noexcept override {
        ids.emplace_back(event.call.correlation_id);
    }
};

TEST_CASE("what is asked for one job is told to the observer with the job's id") {
    const auto heard = std::make_shared<HeardCalls>();
    Service service{{}, {.observer = heard}};
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    // Nothing is told of it: it is asked for.
    service.advance(48h);
    service.outbox->run_until_idle();
    CHECK(heard->ids == std::vector<std::string>(4, job.id.str()));
}

TEST_CASE("a worker on threads sends, tells, drains and stops") {
    Service service;
    service.clock.reset();
    auto fake = FakeTwilio::with_account();
    auto storage = std::make_shared<MemoryOutbox>();
    MessagesClient client{fake->credentials(), fake->client_options()};
    OutboxOptions options;
    options.client = [&](std::string_view) { return OutboxAccount{client}; };
    Outbox outbox{storage, options};
    std::atomic<int> told{0};
    outbox.on_outcome([&](const JobOutcome&) { ++told; });
    outbox.start();
    for (int i = 0; i < 20; ++i) {
        outbox.enqueue(OutboundText{.to = customer, .body = "Text " + std::to_string(i)});
    }
    while (told < 20) {
        fake->run_until_idle();
        std::this_thread::yield();
    }
    CHECK(fake->messages().size() == 20);
    CHECK(outbox.drain(10s));
    outbox.stop();
    CHECK(outbox.counts().of(JobState::accepted) == 20);
}

TEST_CASE("what is kept no longer goes in small parts, one soon after the other") {
    Service service{{.jobs_kept = 0ms}};
    for (int i = 0; i < 250; ++i) service.enqueue();
    service.outbox->run_until_idle();
    for (const auto& job : service.outbox->list({.limit = 1'000})) {
        StatusCallback told;
        told.sid = job.sid;
        told.account_sid = twiliowa::AccountSid{job.attempts.front().account_sid};
        told.status = twiliowa::MessageStatus{"delivered"};
        service.outbox->learn(told);
    }
    service.advance(1s);
    service.outbox->start();
    // Within less than the minute after which it is looked at anyway.
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    for (std::int64_t left = 250; left > 0 && std::chrono::steady_clock::now() < give_up;) {
        service.outbox->resume(Pause::Of::outbox);  // wakes the worker
        const auto now = service.outbox->counts().of(JobState::delivered);
        if (now < left) service.advance(100ms);
        left = now;
    }
    service.outbox->stop();
    CHECK(service.outbox->counts().of(JobState::delivered) == 0);
}

}  // namespace outbox_test
