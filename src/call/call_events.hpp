/// @file
/// What the observer is told of a call.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/observer.hpp>

#include "call/call_kind.hpp"
#include "call/call_machine.hpp"
#include "call/client_core.hpp"

namespace twiliowa::detail {

/// A call that was told of before it could be made. Id 0: none.
struct BegunCall {
    std::uint64_t id = 0;
    MonotonicTime at = {};
};

/// The events of one call. Costs nothing where there is no observer. The core must outlive it.
class CallEvents {
public:
    /// @param account_sid     on whose behalf; empty if that is not known
    /// @param correlation_id  the caller's own
    /// @param begun           whose events these are, if the call was told of already
    CallEvents(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
               const CorrelationId& correlation_id, const BegunCall& begun = {});
    CallEvents(const CallEvents&) = delete;
    CallEvents& operator=(const CallEvents&) = delete;
    ~CallEvents() = default;

    bool are_wanted() const noexcept { return observer_ != nullptr; }
    std::uint64_t call_id() const noexcept { return info_.id; }

    /// Does nothing if the call was told of already.
    void tell_call() const noexcept;
    /// @param failure  why the attempt was no success, or null
    void tell_attempt(int attempt, int http_status, std::string_view request_id,
                      const Error* failure, MonotonicTime::duration duration,
                      MonotonicTime::duration slot_wait) const noexcept;
    void tell_retry(int attempt, const Error& failure,
                    MonotonicTime::duration delay) const noexcept;
    void tell_result(int attempts, std::string_view request_id, const Error* error,
                     MonotonicTime::duration duration) const noexcept;

private:
    Observer* observer_;
    std::string account_sid_;
    CorrelationId correlation_id_;
    CallInfo info_;  ///< Refers to the members above.
    bool is_told_ = false;
};

/// Tells of a call, in the thread of its caller, that something else has to be asked for first.
BegunCall tell_begun(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
                     const CorrelationId& correlation_id) noexcept;

/// Tells of a call that was refused before anything was sent.
void tell_refused(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
                  const CorrelationId& correlation_id, const Error& error,
                  const BegunCall& begun = {}) noexcept;

}  // namespace twiliowa::detail
