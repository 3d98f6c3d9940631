/// @file
/// `Result<T>`: a value or an `Error`, with the vocabulary of std::expected.
#pragma once

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

#include <twiliowa/types/error.hpp>

namespace twiliowa {

/// A value or an `Error`. Every access is checked: `value()` on a failure throws the exception that
/// belongs to the error; `error()` on a success throws std::bad_variant_access. Of a temporary
/// Result both are given by value, so that `const auto& text = client.try_fetch(sid).value().body`
/// does not dangle.
template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;
    using error_type = Error;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
    /// A value made in its place of `args`.
    template <class... Args>
    explicit Result(std::in_place_t, Args&&... args)
        : state_(std::in_place_index<0>, std::forward<Args>(args)...) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        require_value();
        return std::get<0>(state_);
    }
    const T& value() const& {
        require_value();
        return std::get<0>(state_);
    }
    T value() && {
        require_value();
        return std::get<0>(std::move(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& { return std::get<1>(state_); }
    Error error() && { return std::get<1>(std::move(state_)); }

    template <class U>
    T value_or(U&& fallback) const& {
        return has_value() ? std::get<0>(state_) : static_cast<T>(std::forward<U>(fallback));
    }
    template <class U>
    T value_or(U&& fallback) && {
        return has_value() ? std::get<0>(std::move(state_))
                           : static_cast<T>(std::forward<U>(fallback));
    }

    /// `f(value)`, itself a Result, or the error.
    template <class F>
    auto and_then(F&& f) && -> std::invoke_result_t<F, T&&> {
        if (!has_value()) return error();
        return std::invoke(std::forward<F>(f), std::get<0>(std::move(state_)));
    }
    /// `f(value)` wrapped in a Result, or the error.
    template <class F>
    auto transform(F&& f) && -> Result<std::invoke_result_t<F, T&&>> {
        if (!has_value()) return error();
        return std::invoke(std::forward<F>(f), std::get<0>(std::move(state_)));
    }

private:
    void require_value() const {
        if (!has_value()) std::get<1>(state_).raise();
    }
    std::variant<T, Error> state_;
};

/// Success without a value, or an `Error`.
template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;
    using error_type = Error;

    Result() noexcept = default;
    Result(Error error) : state_(std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    /// Throws the exception that belongs to the error, if there is one.
    void value() const {
        if (!has_value()) std::get<1>(state_).raise();
    }
    const Error& error() const& { return std::get<1>(state_); }
    Error error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<std::monostate, Error> state_;
};

/// What an asynchronous verb calls, exactly once. An exception that leaves it ends the program.
template <class T>
using Callback = std::function<void(Result<T>)>;

}  // namespace twiliowa
