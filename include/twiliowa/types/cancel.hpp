/// @file
/// Cancellation: a `CancelSource` cancels, its `CancelToken`s are told.
#pragma once

#include <functional>
#include <memory>

#include <twiliowa/export.hpp>

namespace twiliowa {

namespace detail {
struct CancelState;
}

/// Keeps a callback registered with a CancelToken; destroying it unregisters. When the destructor
/// returns the callback neither runs nor will run (unless it is itself destroying this).
class TWILIOWA_EXPORT CancelRegistration {
public:
    CancelRegistration() noexcept = default;
    CancelRegistration(CancelRegistration&& other) noexcept;
    CancelRegistration& operator=(CancelRegistration&& other) noexcept;
    CancelRegistration(const CancelRegistration&) = delete;
    CancelRegistration& operator=(const CancelRegistration&) = delete;
    ~CancelRegistration();
    void reset() noexcept;

private:
    friend class CancelToken;
    std::shared_ptr<detail::CancelState> state_;
    unsigned long long id_ = 0;
};

/// Asks whether a call has been cancelled. A default-constructed token never is. Cheap to copy;
/// safe to use from any thread.
class TWILIOWA_EXPORT CancelToken {
public:
    CancelToken() noexcept = default;
    bool is_cancelled() const noexcept;
    /// False for a token that no source can cancel.
    bool can_be_cancelled() const noexcept { return state_ != nullptr; }
    /// Runs `callback` once on cancellation, in the cancelling thread; at once, in this thread, if
    /// it was cancelled before. The callback must not throw.
    [[nodiscard]] CancelRegistration on_cancel(std::function<void()> callback) const;

private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<detail::CancelState> state) noexcept
        : state_(std::move(state)) {}
    std::shared_ptr<detail::CancelState> state_;
};

/// Cancels the calls that hold one of its tokens. Destroying it cancels nothing.
class TWILIOWA_EXPORT CancelSource {
public:
    CancelSource();
    CancelToken token() const noexcept { return CancelToken{state_}; }
    /// Idempotent. Callbacks run in this thread before it returns.
    void cancel() noexcept;

private:
    std::shared_ptr<detail::CancelState> state_;
};

}  // namespace twiliowa
