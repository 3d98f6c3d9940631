/// Whose turn it is among many: tenants, lanes, and jobs of one order_key.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_turns_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Service;
using sqlite_test::FileService;
using twiliowa::JobOptions;
using twiliowa::JobState;
using twiliowa::Lane;
using twiliowa::OnUnknown;
using twiliowa::OutboundText;
using twiliowa::Resolution;
using twiliowa::test::at_scale;
using twiliowa::testing::Fault;

namespace {

/// A service of which each message that leaves is counted.
struct CountedService {
    explicit CountedService(Service& its_service) : service(its_service), watched(service) {
        service.restart();
        watched.transport->before = [this](const std::string&) {
            if (before) before(++posts);
        };
    }

    void enqueue(const std::string& name, int count, const JobOptions& options) const {
        std::vector<twiliowa::NewJob> jobs;
        for (int i = 0; i < count; ++i) {
            jobs.push_back(
                {OutboundText{.to = customer, .body = name + std::to_string(i)}, options});
        }
        for (const auto& job : service.outbox->enqueue_all(jobs)) REQUIRE(job);
    }
    /// When those whose texts begin so left, counted in messages.
    std::vector<int> turns_of(std::string_view name) const {
        auto sent = service.fake->messages();
        std::reverse(sent.begin(), sent.end());
        std::vector<int> turns;
        for (std::size_t i = 0; i < sent.size(); ++i) {
            if (sent[i].body.starts_with(name)) turns.push_back(static_cast<int>(i) + 1);
        }
        return turns;
    }

    Service& service;
    outbox_test::WatchedClient watched;
    std::function<void(int)> before = {};
    int posts = 0;
};

/// As a person who looks in Twilio's console.
void decide_what_is_held(Service& service) {
    for (const auto& job : service.outbox->list({.state = JobState::held})) {
        auto resolution = Resolution::not_sent();
        for (const auto& message : service.fake->messages()) {
            if (message.body == job.message->body) resolution = Resolution::sent(message.sid);
        }
        CHECK(service.outbox->resolve(job.id, resolution));
    }
}

}  // namespace

TEST_CASE("a tenant with few waits at most twice as long as alone, however many another has" *
          doctest::test_suite("at scale")) {
    constexpr int few = 10;
    int many = at_scale(1'000, 100'000);
    FileService files;
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        many = at_scale(1'000, 20'000);
        files.service.wrapped = {};
    }
    CountedService counted{files.service};
    auto& outbox = *files.service.outbox;
    counted.enqueue("A", many, {.tenant = "a"});
    counted.enqueue("B", few, {.tenant = "b"});
    counted.before = [&](int posts) {
        // The rest is of no interest.
        if (posts == 5 * few) outbox.pause({});
    };
    outbox.run_until_idle();
    const auto turns = counted.turns_of("B");
    REQUIRE(turns.size() == few);
    for (int alone = 1; alone <= few; ++alone) {
        CHECK(turns[static_cast<std::size_t>(alone) - 1] <= 2 * alone);
    }
}

TEST_CASE("what is urgent waits for what is under way, and for nothing that waits" *
          doctest::test_suite("at scale")) {
    constexpr int few = 10;
    int many = at_scale(1'000, 20'000);
    FileService files;
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        many = at_scale(1'000, 20'000);
        files.service.wrapped = {};
    }
    CountedService counted{files.service};
    auto& outbox = *files.service.outbox;
    const int under_way = files.service.options.concurrency;
    counted.enqueue("Bulk", many, {.lane = Lane::bulk});
    const int begins = 2 * under_way + 1;
    counted.before = [&](int posts) {
        if (posts == begins) counted.enqueue("Code", few, {.lane = Lane::urgent});
        if (posts == 4 * under_way) outbox.pause({});
    };
    outbox.run_until_idle();
    const auto turns = counted.turns_of("Code");
    REQUIRE(turns.size() == few);
    for (int alone = 1; alone <= few; ++alone) {
        CHECK(turns[static_cast<std::size_t>(alone) - 1] < begins + under_way + alone);
    }
}

TEST_CASE("jobs of an order_key go in the order in which they were taken in, whatever fails" *
          doctest::test_suite("at scale")) {
    int keys = at_scale(12, 1'000);
    int jobs_of_key = at_scale(8, 10);
    FileService files{{.on_unknown = OnUnknown::resend_after(10min, 2)}};
    auto& service = files.service;
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        // It looks at each job in each step.
        keys = at_scale(12, 100);
        jobs_of_key = at_scale(8, 10);
        service.wrapped = {};
        service.restart();
    }
    std::vector<twiliowa::NewJob> jobs;
    for (int number = 0; number < jobs_of_key; ++number) {
        for (int key = 0; key < keys; ++key) {
            const auto name = std::to_string(key);
            jobs.push_back(
                {OutboundText{.to = "+4477009001" + std::to_string(10 + key % 90),
                              .body = name + ':' + std::to_string(number)},
                 {.lane = number % 3 == 0 ? Lane::normal : Lane::bulk, .order_key = name}});
        }
    }
    for (const auto& job : service.outbox->enqueue_all(jobs)) REQUIRE(job);
    service.fake->seed_faults(16);
    for (const auto fault : {Fault::close_before, Fault::close_after, Fault::internal_error,
                             Fault::internal_error_after, Fault::too_many_requests}) {
        service.fake->set_fault_rate(fault, 0.03);
    }
    const auto all = static_cast<std::int64_t>(jobs.size());
    for (int i = 0; i < 5'000 && service.outbox->counts().of(JobState::accepted) != all; ++i) {
        service.outbox->run_until_idle();
        decide_what_is_held(service);
        // What was tried three times is looked for until tomorrow.
        service.advance(i < 500 ? 20s : 600s);
    }
    REQUIRE(service.outbox->counts().of(JobState::accepted) == all);
    REQUIRE(static_cast<std::int64_t>(service.at_twilio()) == all);
    std::map<std::string, int> next;
    auto sent = service.fake->messages();
    std::reverse(sent.begin(), sent.end());
    int out_of_order = 0;
    for (const auto& message : sent) {
        const auto colon = message.body.find(':');
        auto& expected = next[message.body.substr(0, colon)];
        if (message.body.substr(colon + 1) != std::to_string(expected++)) ++out_of_order;
    }
    CHECK(out_of_order == 0);
    CHECK(static_cast<int>(next.size()) == keys);
}

}  // namespace outbox_turns_test
