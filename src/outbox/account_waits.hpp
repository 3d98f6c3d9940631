/// @file
/// Accounts whose events are not to be handled at present: which are asked for again, and when.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// Each waits longer than the time before, until it is here again. Thread-safe.
class AccountWaits {
public:
    /// How long an account still waits; nullopt: it may be asked for.
    std::optional<std::chrono::milliseconds> left(const std::string& account,
                                                  MonotonicTime now) const;
    /// It is not to be handled now: how long it waits.
    std::chrono::milliseconds put_off(const std::string& account, MonotonicTime now);
    /// It is handled.
    void is_here(const std::string& account);
    /// Those that wait, and for how long.
    std::map<std::string, std::chrono::milliseconds> waiting(MonotonicTime now) const;

private:
    struct Wait {
        MonotonicTime until = {};
        std::chrono::milliseconds pause{0};
    };
    mutable std::mutex mutex_;
    std::map<std::string, Wait> waits_ = {};
};

}  // namespace twiliowa::detail
