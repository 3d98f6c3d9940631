/// @file
/// What a webhook handler keeps for all accounts together, or for each by itself: `PerAccount`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace twiliowa {

/// One object for every account, or a function that knows the one of an account (AC...). Made from
/// either without further words; null, and a function that returns null, is none.
///
/// The function must be safe to call from any thread at once, and quick: it is asked for each
/// event. What it throws counts as a failure of the store behind the object.
template <class T>
class PerAccount {
public:
    /// From an AccountSid to that account's object.
    using Function = std::function<std::shared_ptr<T>(std::string_view account_sid)>;

    /// None.
    PerAccount() noexcept = default;
    /// None.
    PerAccount(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
    /// The same for every account.
    template <class U>
    requires std::is_convertible_v<std::shared_ptr<U>, std::shared_ptr<T>> PerAccount(
        std::shared_ptr<U> object)
    noexcept  // NOLINT(google-explicit-constructor)
        : object_(std::move(object)) {}
    /// Each account's own.
    template <class F>
    requires std::is_invocable_r_v<std::shared_ptr<T>, F&, std::string_view> PerAccount(F function)
        : function_(std::move(function)) {}  // NOLINT

    /// Whether it is none for every account.
    bool empty() const noexcept { return !object_ && !function_; }
    /// That account's; null if there is none.
    std::shared_ptr<T> of(std::string_view account_sid) const {
        return function_ ? function_(account_sid) : object_;
    }

private:
    std::shared_ptr<T> object_;
    Function function_;
};

}  // namespace twiliowa
