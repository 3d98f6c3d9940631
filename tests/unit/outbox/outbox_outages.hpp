/// @file
/// Twilio fails, for the tests of each engine: how much becomes unknown, and what is found again.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/http/http_transport.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

inline constexpr std::string_view second_sender = "whatsapp:+15005550009";

inline std::string numbered_customer(int number) {
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

/// How often each text is there.
inline std::map<std::string, int> texts_at_twilio(const Service& service) {
    std::map<std::string, int> counted;
    for (const auto& message : service.fake->messages()) ++counted[message.body];
    return counted;
}

/// Five minutes of failures make few outcomes of each sender unknown, and everything goes after.
/// @param service  of a concurrency of 6: so many are under way when it begins
inline void outlast_an_outage(Service& service, int recipients) {
    using twiliowa::testing::Fault;
    using namespace std::chrono_literals;
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
    const auto texts = texts_at_twilio(service);
    CHECK(static_cast<int>(texts.size()) == counts.of(JobState::accepted));
    CHECK(
        std::all_of(texts.begin(), texts.end(), [](const auto& text) { return text.second == 1; }));
}

/// Half of so many identical texts to one customer are not answered, and half of these are there:
/// as many are taken to be sent, and nobody is asked.
/// @param service  of exclusive senders
inline void tell_twins(Service& service, int twins) {
    using namespace std::chrono_literals;
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

/// What the list shows ten minutes late goes twice only where the policy is quicker than the list:
/// so many, each of which is counted as a double.
inline void wait_for_a_late_list(Service& service, int lost, int doubles) {
    using twiliowa::testing::Fault;
    using namespace std::chrono_literals;
    constexpr auto lag = 10min;
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

}  // namespace outbox_test
