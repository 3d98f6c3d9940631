/// @file
/// A source of permits in memory, on a test's clock: what a Redis and a PostgreSQL do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/http/leased_limiter.hpp>

namespace twiliowa::test {

/// The place that processes share. Used by one thread.
struct MemoryPermitServer {
    std::shared_ptr<Clock> clock;
    bool away = false;
    std::map<std::string, std::int64_t> full_at = {};                   ///< Microseconds.
    std::map<const void*, std::int64_t> seen = {};                      ///< Processes.
    std::vector<std::pair<std::int64_t, std::int64_t>> questions = {};  ///< Owed, wanted.
    int beats = 0;

    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   clock->monotonic_now().time_since_epoch())
            .count();
    }
};

/// A process's way to it.
class MemoryPermits final : public PermitSource {
public:
    explicit MemoryPermits(std::shared_ptr<MemoryPermitServer> server)
        : server_(std::move(server)) {}

    Result<Permits> take(const PermitRequest& request) override {
        if (server_->away) return gone();
        server_->questions.emplace_back(request.owed, request.wanted);
        const auto now = server_->now();
        auto& kept = server_->full_at[std::string{request.sender}];
        if (kept > now + request.tolerance + 2 * request.furthest) kept = now;
        const auto length = [&](std::int64_t permits) {
            return static_cast<std::int64_t>(
                std::ceil(static_cast<double>(permits) * request.interval));
        };
        kept = std::max(kept, now) + length(request.owed);
        const auto room = static_cast<std::int64_t>(
            std::floor(static_cast<double>(now + request.tolerance + request.furthest - kept) /
                       request.interval));
        const auto granted = std::clamp<std::int64_t>(room, 0, request.wanted);
        const std::chrono::microseconds wait{kept - request.tolerance - now};
        kept += length(granted);
        return Permits{granted, wait};
    }

    Result<int> count_processes() override {
        if (server_->away) return gone();
        ++server_->beats;
        const auto now = server_->now();
        server_->seen[this] = now;
        std::erase_if(server_->seen,
                      [&](const auto& each) { return each.second < now - 5'000'000; });
        return static_cast<int>(server_->seen.size());
    }

private:
    static Error gone() { return Error::invalid_request("source", "is away"); }

    std::shared_ptr<MemoryPermitServer> server_;
};

}  // namespace twiliowa::test
