/// @file
/// A storage that dies.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/state/store.hpp>

namespace outbox_test {

/// A storage whose process dies: from one work on, all fail. That one may be written all the same.
struct CrashingStorage final : twiliowa::OutboxStorage {
    CrashingStorage(std::shared_ptr<twiliowa::OutboxStorage> kept, int works, bool writes_last)
        : storage(std::move(kept)), left(works), writes(writes_last) {}
    twiliowa::Result<void> transact(const Work& work) override {
        if (left > 0 && --left > 0) return storage->transact(work);
        if (std::exchange(writes, false)) static_cast<void>(storage->transact(work));
        return twiliowa::store_error("is gone");
    }
    std::uint32_t outbox_id() const override { return storage->outbox_id(); }
    twiliowa::LeaseTime lease_now() const override { return storage->lease_now(); }
    std::optional<twiliowa::TimePoint> now() const override { return storage->now(); }
    std::string identity() const override { return storage->identity(); }

    std::shared_ptr<twiliowa::OutboxStorage> storage;
    int left;
    bool writes;
};

}  // namespace outbox_test
