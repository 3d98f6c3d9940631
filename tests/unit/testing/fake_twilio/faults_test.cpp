#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"
#include "support/show.hpp"

namespace faults_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;
using twiliowa::testing::Fault;

namespace {

Result<Message> try_send(const Conversation& talk) {
    return talk.client.try_send_template(
        {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}},
        CallOptions{.timeout = 10s});
}

std::size_t created(const Conversation& talk) {
    return talk.fake->messages().size();
}

}  // namespace

TEST_CASE("FakeTwilio fails a request as told, before or after it was carried out") {
    Conversation talk;
    const auto outcome = [&](Fault fault) {
        talk.fake->next_fault(fault);
        return try_send(talk);
    };
    SUBCASE("the outcome is unknown, and nothing was done") {
        for (const auto fault : {Fault::close_before, Fault::reset, Fault::black_hole,
                                 Fault::internal_error, Fault::unavailable}) {
            CAPTURE(static_cast<int>(fault));
            CHECK(outcome(fault).error().kind() == ErrorKind::outcome_unknown);
            CHECK(created(talk) == 0);
        }
    }
    SUBCASE("the outcome is unknown, and the message exists") {
        std::size_t messages = 0;
        for (const auto fault :
             {Fault::close_after, Fault::truncated, Fault::garbage, Fault::internal_error_after}) {
            CAPTURE(static_cast<int>(fault));
            CHECK(outcome(fault).error().kind() == ErrorKind::outcome_unknown);
            CHECK(created(talk) == ++messages);
        }
    }
    SUBCASE("it is slow, within the time or not") {
        const auto start = talk.fake->clock()->now();
        CHECK(outcome(Fault::slow));
        CHECK(talk.fake->clock()->now() == start + FakeTwilio::slow_answer);
        talk.fake->next_fault(Fault::slow);
        const auto late = talk.client.try_send_template(
            {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}},
            CallOptions{.timeout = 1s});
        CHECK(late.error().kind() == ErrorKind::outcome_unknown);
        CHECK(created(talk) == 2);
    }
    SUBCASE("it is refused for now, and the client waits and tries again") {
        const auto start = talk.fake->clock()->now();
        CHECK(outcome(Fault::too_many_requests_retry_after));
        CHECK(talk.fake->clock()->now() >= start + 1s);
        CHECK(outcome(Fault::too_many_requests));
        CHECK(talk.fake->request_count() == 4);
        CHECK(created(talk) == 2);
    }
}

TEST_CASE("FakeTwilio fails asynchronous requests in the same way") {
    Conversation talk;
    const auto outcome = [&](Fault fault) {
        talk.fake->next_fault(fault);
        std::string text = "pending";
        talk.client.async_send_template(
            {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}},
            [&](Result<Message> result) {
                text = result ? "sent" : std::string{to_string(result.error().kind())};
            },
            CallOptions{.timeout = 10s});
        talk.fake->run_until_idle();
        return text;
    };
    CHECK(outcome(Fault::close_after) == "outcome_unknown");
    CHECK(outcome(Fault::black_hole) == "outcome_unknown");
    CHECK(outcome(Fault::slow) == "sent");
    CHECK(outcome(Fault::none) == "sent");
    CHECK(created(talk) == 3);
}

TEST_CASE("FakeTwilio lets a lost answer be found again by reconcile") {
    Conversation talk;
    const OutboundText text{.to = "+447700900123", .body = "Hi"};
    const auto attempted_at = talk.fake->clock()->now();
    talk.fake->next_fault(Fault::close_after);
    CHECK(talk.client.try_send_text(text).error().kind() == ErrorKind::outcome_unknown);
    const auto found = talk.client.reconcile(text, attempted_at);
    CHECK(found.outcome == Reconciliation::Outcome::found);
    talk.fake->next_fault(Fault::close_before);
    const OutboundText other{.to = "+447700900123", .body = "Lost"};
    CHECK(talk.client.try_send_text(other).error().kind() == ErrorKind::outcome_unknown);
    CHECK(talk.client.reconcile(other, attempted_at).outcome == Reconciliation::Outcome::not_found);
}

TEST_CASE("FakeTwilio fails requests by chance, the same ones for the same seed") {
    const auto run = [](std::uint64_t seed) {
        FakeTwilioOptions options;
        options.seed = seed;
        Conversation talk{options};
        talk.fake->set_fault_rate(Fault::close_after, 0.3);
        std::string outcomes;
        for (int i = 0; i < 50; ++i) outcomes += try_send(talk) ? '.' : 'x';
        talk.fake->set_fault_rate(Fault::close_after, 0.0);
        CHECK(try_send(talk));
        return outcomes;
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
    CHECK(run(1).find('x') != std::string::npos);
    CHECK(run(1).find('.') != std::string::npos);
}

TEST_CASE("FakeTwilio names each fault once") {
    std::map<std::string_view, Fault> names;
    for (const auto& [name, fault] : testing::fault_names) CHECK(names.emplace(name, fault).second);
    CHECK(names.at("500") == Fault::internal_error);
}

TEST_CASE("FakeTwilio keeps a log of requests without credentials") {
    FakeTwilioOptions options;
    options.log_size = 2;
    Conversation talk{options};
    try_send(talk).value();
    talk.fake->next_fault(Fault::close_before);
    CHECK_FALSE(try_send(talk));
    CHECK_FALSE(talk.client.try_fetch(MessageSid{"SM0000000000000000000000000000000f"}));
    const auto log = talk.fake->requests();
    REQUIRE(log.size() == 2);
    CHECK(log[0].number == 2);
    CHECK(log[0].status == 0);
    CHECK(log[0].fault == Fault::close_before);
    CHECK(log[1].status == 404);
    CHECK(log[1].code == 20404);
    CHECK(log[1].url == containing("/Messages/SM"));
    CHECK(talk.fake->requests(2).size() == 1);
    CHECK(talk.fake->requests(3).empty());
    for (const auto& record : log) {
        CHECK((record.url + record.body + record.response) !=
              containing(FakeTwilio::demo_auth_token));
    }
}

}  // namespace faults_test
