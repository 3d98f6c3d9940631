/// An outbox in a file while Twilio fails: how much of it becomes unknown, and what is found again.
#include <doctest/doctest.h>

#include <string>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_outages.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_outages_test {

using namespace std::chrono_literals;
using sqlite_test::FileService;
using twiliowa::JobState;
using twiliowa::OnUnknown;
using twiliowa::test::at_scale;
using twiliowa::testing::Fault;

TEST_CASE("five minutes of Twilio's failures make few outcomes unknown, and everything goes after" *
          doctest::test_suite("at scale")) {
    FileService files{{.concurrency = 6}};
    outbox_test::outlast_an_outage(files.service, at_scale(1'000, 50'000));
}

TEST_CASE(
    "of identical texts to one customer as many are taken to be sent as there are, and nobody is "
    "asked" *
    doctest::test_suite("at scale")) {
    FileService files{{.exclusive_senders = true}};
    outbox_test::tell_twins(files.service, at_scale(400, 20'000));
}

TEST_CASE("what the list shows late goes twice only where the policy is quicker than the list") {
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
    outbox_test::wait_for_a_late_list(files.service, lost, doubles);
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
