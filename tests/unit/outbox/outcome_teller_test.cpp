#include "outbox/outcome_teller.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "unit/outbox/outbox_telling.hpp"

namespace outcome_teller_test {

using namespace std::chrono_literals;
using outbox_test::enqueue_two;
using outbox_test::JobOutcome;
using outbox_test::Service;
using outbox_test::Teller;
using twiliowa::OutboxStorage;
using twiliowa::OutboxTransaction;
using twiliowa::Pause;
using twiliowa::Result;

TEST_CASE("while one tells, another that works on the storage does not") {
    Service service;
    outbox_test::tell_by_one(service, [&] { return service.storage; });
}

TEST_CASE("another goes on where a process died that told") {
    Service service;
    outbox_test::tell_after_the_dead(service, [&] { return service.storage; });
}

TEST_CASE("who lost the lease in a handler tells no more, and takes nothing back") {
    Service service;
    outbox_test::tell_no_more_without_a_lease(service, [&] { return service.storage; });
}

TEST_CASE("an outcome whose handler throws is another's to tell at once") {
    Service service;
    Teller another{service, service.storage};
    int told = 0;
    service.outbox->on_outcome([&](const JobOutcome&) {
        if (++told == 2) throw std::runtime_error{"not now"};
    });
    enqueue_two(service);
    CHECK_FALSE(service.outbox->try_run_until_idle());
    another.outbox.run_until_idle();
    CHECK(another.told == std::vector<std::string>{"two"});
}

TEST_CASE("what took most of the lease is noted before the next is told") {
    Service service;
    Teller mortal{service, service.storage};
    Teller another{service, service.storage};
    mortal.dies_at = 2;
    mortal.meanwhile = [&] { service.advance(7s); };
    enqueue_two(service);
    CHECK_FALSE(mortal.outbox.try_run_until_idle());
    service.advance(10s);
    another.outbox.run_until_idle();
    CHECK(another.told == std::vector<std::string>{"two"});
}

/// Until when somebody tells, as it is written down.
std::string lease_of(OutboxStorage& storage) {
    std::string lease;
    storage
        .transact([&](OutboxTransaction& transaction) -> Result<void> {
            lease = transaction.fact("teller").value();
            return {};
        })
        .value();
    return lease;
}

TEST_CASE("a handler that takes its time keeps what is its to tell") {
    Service service;
    Teller another{service, service.storage};
    // Sent by the other one, so that the threads have nothing to do but to tell.
    another.outbox.on_outcome({});
    enqueue_two(service);
    another.outbox.run_until_idle();
    another.outbox.on_outcome(
        [&](const JobOutcome& outcome) { another.told.push_back(outcome.job.key); });
    std::atomic<int> told{0};
    service.outbox->on_outcome([&](const JobOutcome&) {
        if (++told > 1) return;
        for (int i = 0; i < 4; ++i) {
            const auto before = lease_of(*service.storage);
            service.advance(4s);
            while (lease_of(*service.storage) == before) {
                service.outbox->resume(Pause::Of::outbox);  // wakes the worker
                std::this_thread::yield();
            }
        }
        another.outbox.run_until_idle();
    });
    service.outbox->start();
    while (told < 2) std::this_thread::yield();
    service.outbox->stop();
    CHECK(told == 2);
    CHECK(another.told.empty());
    CHECK(lease_of(*service.storage).empty());
}

}  // namespace outcome_teller_test
