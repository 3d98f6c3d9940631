/// @file
/// Whose turn it is among many, for the tests of each engine: tenants, lanes, and jobs of one
/// order_key.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"

namespace outbox_test {

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
inline void decide_what_is_held(Service& service) {
    for (const auto& job : service.outbox->list({.state = JobState::held})) {
        auto resolution = twiliowa::Resolution::not_sent();
        for (const auto& message : service.fake->messages()) {
            if (message.body == job.message->body)
                resolution = twiliowa::Resolution::sent(message.sid);
        }
        CHECK(service.outbox->resolve(job.id, resolution));
    }
}

/// A tenant with few jobs waits at most twice as long as alone, however many another has.
inline void take_turns(Service& service, int many) {
    constexpr int few = 10;
    CountedService counted{service};
    auto& outbox = *service.outbox;
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

/// What is urgent waits for what is under way, and for nothing of the many that wait.
inline void let_urgent_pass(Service& service, int many) {
    constexpr int few = 10;
    CountedService counted{service};
    auto& outbox = *service.outbox;
    const int under_way = service.options.concurrency;
    counted.enqueue("Bulk", many, {.lane = twiliowa::Lane::bulk});
    const int begins = 2 * under_way + 1;
    counted.before = [&](int posts) {
        if (posts == begins) counted.enqueue("Code", few, {.lane = twiliowa::Lane::urgent});
        if (posts == 4 * under_way) outbox.pause({});
    };
    outbox.run_until_idle();
    const auto turns = counted.turns_of("Code");
    REQUIRE(turns.size() == few);
    for (int alone = 1; alone <= few; ++alone) {
        CHECK(turns[static_cast<std::size_t>(alone) - 1] < begins + under_way + alone);
    }
}

/// Jobs of each order_key go in the order in which they were taken in, whatever fails.
/// @param service  its policy sends again what stays unknown
inline void keep_order(Service& service, int keys, int jobs_of_key) {
    using twiliowa::testing::Fault;
    using namespace std::chrono_literals;
    std::vector<twiliowa::NewJob> jobs;
    for (int number = 0; number < jobs_of_key; ++number) {
        for (int key = 0; key < keys; ++key) {
            const auto name = std::to_string(key);
            jobs.push_back(
                {OutboundText{.to = "+4477009001" + std::to_string(10 + key % 90),
                              .body = name + ':' + std::to_string(number)},
                 {.lane = number % 3 == 0 ? twiliowa::Lane::normal : twiliowa::Lane::bulk,
                  .order_key = name}});
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

}  // namespace outbox_test
