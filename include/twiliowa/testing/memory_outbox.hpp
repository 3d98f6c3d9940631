/// @file
/// Jobs in this process's memory, for tests: `MemoryOutbox`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing {

/// Keeps the jobs of an Outbox in memory: lost with it. Its times are those of the clock given, so
/// that a test moves leases, looks and expiries. Thread-safe.
class TWILIOWA_EXPORT MemoryOutbox final : public OutboxStorage {
public:
    /// @param clock  Default: the machine's.
    explicit MemoryOutbox(std::shared_ptr<Clock> clock = {});
    ~MemoryOutbox() override;
    MemoryOutbox(const MemoryOutbox&) = delete;
    MemoryOutbox& operator=(const MemoryOutbox&) = delete;

    Result<void> transact(const Work& work) override;
    std::uint32_t outbox_id() const override;
    LeaseTime lease_now() const override;
    std::string identity() const override;

    /// From now on every commit fails, as on a disk that is full; until `works` is true again.
    void set_works(bool works);
    /// What is there now, as a backup has it.
    std::shared_ptr<MemoryOutbox> copy() const;
    /// What `identity` says from now on: another than before means a restored backup.
    void set_identity(std::string identity);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa::testing
