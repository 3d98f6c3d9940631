/// An outbox in a file while Twilio fails: how much of it becomes unknown, and what is found again.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/http/http_transport.hpp>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_outages_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using sqlite_test::FileService;
using twiliowa::JobState;
using twiliowa::OnUnknown;
using twiliowa::OutboundText;
using twiliowa::test::at_scale;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;

namespace {

constexpr std::string_view second_sender = "whatsapp:+15005550009";

std::string numbered_customer(int number) {
    return "+4477009001" + std::to_string(10 + number % 90);
}

/// Loses every fourth message before Twilio has it, and the answer to every fourth after: never
/// three in a row, which would be an outage.
struct LossyTransport final : twiliowa::HttpTransport {
    explicit LossyTransport(std::shared_ptr<twiliowa::HttpTransport> behind)
        : inner(std::move(behind)) {}

    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest& request,
                                                  const twiliowa::CallContext& context) override {
        if (request.method != twiliowa::HttpMethod::post) return inner->send(request, context);
        const int number = posts++;
        if (number % 4 == 1 || number % 4 == 3) {
            if (number % 4 == 1) {
                ++sent_unanswered;
                REQUIRE(inner->send(request, context));
            }
            ++unanswered;
            return twiliowa::Error::transport(twiliowa::Effect::unknown, twiliowa::Stage::receive,
                                              "the connection ended");
        }
        return inner->send(request, context);
    }

    const std::shared_ptr<twiliowa::HttpTransport> inner;
    int posts = 0;
    int unanswered = 0;
    int sent_unanswered = 0;
};

}  // namespace

TEST_CASE("five minutes of Twilio's failures make few outcomes unknown, and everything goes after" *
          doctest::test_suite("at scale")) {
    const int recipients = at_scale(1'000, 50'000);
    twiliowa::OutboxOptions options;
    // So many are under way when it begins.
    options.concurrency = 6;
    FileService files{options};
    auto& service = files.service;
    service.fake->add_sender(FakeTwilio::demo_account_sid, second_sender);
    const std::vector<std::string> senders{std::string{FakeTwilio::demo_sender},
                                           std::string{second_sender}};
    std::vector<twiliowa::NewJob> jobs;
    for (int i = 0; i < recipients; ++i) {
        jobs.push_back({OutboundText{.to = numbered_customer(i),
                                     .body = "Text " + std::to_string(i),
                                     .from = senders[static_cast<std::size_t>(i) % 2]},
                        {}});
    }
    for (const auto& job : service.outbox->enqueue_all(jobs)) REQUIRE(job);
    service.fake->set_fault_rate(Fault::internal_error, 1.0);
    for (int i = 0; i < 60; ++i) {
        service.outbox->run_until_idle();
        service.advance(5s);
    }
    // Three of each sender at once, then probes after 15, 30, 60 and 120 seconds.
    for (const auto& sender : senders) {
        const auto unknown =
            service.outbox->list({.state = JobState::unknown, .sender = sender, .limit = 1'000});
        CHECK(unknown.size() == 3 + 4);
    }
    CHECK(service.outbox->counts().of(JobState::ready) == recipients - 2 * (3 + 4));
    service.fake->clear_faults();
    service.advance(2min);
    service.outbox->run_until_idle();
    const auto counts = service.outbox->counts();
    CHECK(counts.of(JobState::ready) == 0);
    CHECK(counts.of(JobState::accepted) + counts.of(JobState::unknown) == recipients);
    CHECK(counts.of(JobState::unknown) <= 2 * (3 + 4));
    const auto texts = files.at_twilio();
    CHECK(static_cast<int>(texts.size()) == counts.of(JobState::accepted));
    CHECK(
        std::all_of(texts.begin(), texts.end(), [](const auto& text) { return text.second == 1; }));
}

TEST_CASE(
    "of identical texts to one customer as many are taken to be sent as there are, and nobody is "
    "asked" *
    doctest::test_suite("at scale")) {
    const int twins = at_scale(400, 20'000);
    FileService files{{.exclusive_senders = true}};
    auto& service = files.service;
    auto client_options = service.fake->client_options();
    const auto lossy = std::make_shared<LossyTransport>(client_options.transport);
    client_options.transport = lossy;
    client_options.retry.max_attempts = 1;
    const twiliowa::MessagesClient client{service.fake->credentials(), client_options};
    service.options.client = [&](std::string_view) { return twiliowa::OutboxAccount{client}; };
    service.restart();
    const std::vector<twiliowa::NewJob> jobs(
        static_cast<std::size_t>(twins),
        {OutboundText{.to = customer, .body = "Your table is ready"}, {}});
    for (const auto& job : service.outbox->enqueue_all(jobs)) REQUIRE(job);
    service.outbox->run_until_idle();
    REQUIRE(service.outbox->counts().of(JobState::unknown) == lossy->unanswered);
    REQUIRE(lossy->unanswered == twins / 2);
    service.advance(6s);
    service.outbox->run_until_idle();
    const auto counts = service.outbox->counts();
    CHECK(counts.of(JobState::accepted) == twins / 2 + lossy->sent_unanswered);
    CHECK(counts.of(JobState::unknown) == lossy->unanswered - lossy->sent_unanswered);
    CHECK(counts.of(JobState::held) == 0);
    CHECK(static_cast<int>(service.at_twilio()) == counts.of(JobState::accepted));
    // Each has one of its own.
    std::map<std::string, int> claimed;
    for (const auto& job : service.outbox->list({.state = JobState::accepted, .limit = 20'000})) {
        ++claimed[job.sid.str()];
    }
    CHECK(claimed.size() == service.at_twilio());
}

TEST_CASE("what the list shows late goes twice only where the policy is quicker than the list") {
    constexpr auto lag = 10min;
    constexpr int lost = 10;
    auto policy = OnUnknown::hold();
    int doubles = 0;
    SUBCASE("held") {}
    SUBCASE("sent again after an hour") {
        policy = OnUnknown::resend_after(1h);
    }
    SUBCASE("sent again after a minute and four looks, the last of which is later than the list") {
        policy = OnUnknown::resend_after(1min);
    }
    SUBCASE("sent again after a minute and two looks") {
        policy = OnUnknown::resend_after(1min, 2);
        doubles = lost;
    }
    FileService files{{.on_unknown = policy}};
    auto& service = files.service;
    service.fake->set_list_lag(lag);
    for (int i = 0; i < lost; ++i) {
        service.enqueue("Lost " + std::to_string(i));
        service.fake->next_fault(Fault::close_after);
        service.outbox->run_until_idle();
        service.enqueue("Answered " + std::to_string(i));
        service.outbox->run_until_idle();
    }
    REQUIRE(service.outbox->counts().of(JobState::unknown) == lost);
    const auto begun = service.clock->now();
    while (service.clock->now() < begun + 3h) {
        service.outbox->run_until_idle();
        service.advance(service.clock->now() < begun + 2min ? 5s : 60s);
    }
    CHECK(service.outbox->counts().of(JobState::accepted) == 2 * lost);
    CHECK(service.at_twilio() == 2 * lost + doubles);
    // What went twice is known by the callbacks, and counted.
    for (const auto& message : service.fake->messages()) {
        service.outbox->learn(service.callback_of(message, "sent"));
    }
    int counted = 0;
    for (const auto& job : service.outbox->list()) {
        counted += static_cast<int>(job.doubles.size());
    }
    CHECK(counted == doubles);
    int told = 0;
    for (const auto& outcome : *service.outbox->try_outcomes(0, 1'000)) {
        if (outcome.outcome == twiliowa::Outcome::doubled) ++told;
    }
    CHECK(told == doubles);
}

TEST_CASE("an outage makes what is under way unknown, however much that is, and probes after it") {
    constexpr int at_once = 50;
    FileService files{{.concurrency = at_once}};
    auto& service = files.service;
    for (int i = 0; i < 2 * at_once; ++i) service.enqueue("Text " + std::to_string(i));
    service.fake->set_fault_rate(Fault::internal_error, 1.0);
    for (int i = 0; i < 60; ++i) {
        service.outbox->run_until_idle();
        service.advance(5s);
    }
    CHECK(service.outbox->counts().of(JobState::unknown) == at_once + 4);
}

}  // namespace outbox_outages_test
