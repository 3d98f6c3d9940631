/// @file
/// Who is told of outcomes where several processes work on one storage, whichever engine that is.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

/// A storage whose process is dead from when that is said.
struct MortalStorage final : twiliowa::OutboxStorage {
    explicit MortalStorage(std::shared_ptr<twiliowa::OutboxStorage> kept)
        : storage(std::move(kept)) {}
    twiliowa::Result<void> transact(const Work& work) override {
        if (dead) return twiliowa::store_error("is gone");
        return storage->transact(work);
    }
    std::uint32_t outbox_id() const override { return storage->outbox_id(); }
    /// The engine of a database would go on with the machine's time.
    twiliowa::LeaseTime lease_now() const override {
        twiliowa::LeaseTime now;
        const auto read_now = [&](twiliowa::OutboxTransaction& transaction) {
            now = transaction.lease_now();
            return twiliowa::Result<void>{};
        };
        storage->transact(read_now).value();
        return now;
    }
    std::optional<twiliowa::TimePoint> now() const override { return storage->now(); }
    std::string identity() const override { return storage->identity(); }

    std::shared_ptr<twiliowa::OutboxStorage> storage;
    bool dead = false;
};

/// A process that works on a service's storage, too, and is told by keys.
struct Teller {
    Teller(const Service& service, std::shared_ptr<twiliowa::OutboxStorage> opened)
        : storage(std::make_shared<MortalStorage>(std::move(opened))),
          outbox(storage, service.options) {
        outbox.on_outcome([this](const JobOutcome& outcome) {
            told.push_back(outcome.job.key);
            if (told.size() == dies_at) storage->dead = true;
            if (meanwhile) meanwhile();
        });
    }

    std::vector<std::string> told;
    std::size_t dies_at = 0;          ///< In the handler of which outcome; 0: it lives.
    std::function<void()> meanwhile;  ///< Runs in the handler.
    std::shared_ptr<MortalStorage> storage;
    Outbox outbox;
};

using OpenStorage = std::function<std::shared_ptr<twiliowa::OutboxStorage>()>;

inline void enqueue_two(Service& service) {
    service.enqueue("One", {.key = "one"});
    service.enqueue("Two", {.key = "two"});
}

inline const std::vector<std::string> both_told{"one", "two"};

/// While one is in its handler, another is told nothing; afterwards there is nothing left.
inline void tell_by_one(Service& service, const OpenStorage& open) {
    Teller one{service, open()};
    Teller other{service, open()};
    one.meanwhile = [&] { other.outbox.run_until_idle(); };
    enqueue_two(service);
    one.outbox.run_until_idle();
    CHECK(one.told == both_told);
    other.outbox.run_until_idle();
    CHECK(other.told.empty());
}

/// Another begins with what the dead one had not noted, 10 seconds after it took its lease.
inline void tell_after_the_dead(Service& service, const OpenStorage& open) {
    Teller mortal{service, open()};
    Teller other{service, open()};
    mortal.dies_at = 2;
    enqueue_two(service);
    CHECK_FALSE(mortal.outbox.try_run_until_idle());
    CHECK(mortal.told == both_told);
    service.advance(std::chrono::seconds{9});
    other.outbox.run_until_idle();
    CHECK(other.told.empty());
    service.advance(std::chrono::seconds{2});
    other.outbox.run_until_idle();
    CHECK(other.told == both_told);
}

/// Who stood still in its handler for longer than its lease tells no more, and takes nothing back.
inline void tell_no_more_without_a_lease(Service& service, const OpenStorage& open) {
    Teller slow{service, open()};
    Teller other{service, open()};
    slow.meanwhile = [&] {
        service.advance(std::chrono::seconds{11});
        other.outbox.run_until_idle();
    };
    enqueue_two(service);
    slow.outbox.run_until_idle();
    CHECK(slow.told == std::vector<std::string>{"one"});
    CHECK(other.told == both_told);
    slow.outbox.run_until_idle();
    other.outbox.run_until_idle();
    CHECK(slow.told.size() + other.told.size() == 3);
}

}  // namespace outbox_test
