/// @file
/// Seeing what the client does. No event carries a secret, a phone number or message text.
#pragma once

#include <chrono>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa {

/// One HTTP request was answered, or failed. The views are valid during the call only.
struct AttemptEvent {
    std::string_view operation = {};  ///< "messages.create", ...
    std::string_view host = {};
    int attempt = 0;      ///< From 1.
    int http_status = 0;  ///< 0 without an answer.
    std::string_view request_id = {};
    std::chrono::microseconds duration{0};
};

/// The call will be tried again.
struct RetryEvent {
    std::string_view operation = {};
    int attempt = 0;  ///< The attempt that failed.
    int http_status = 0;
    int code = 0;
    std::chrono::milliseconds delay{0};
};

/// The call has ended.
struct ResultEvent {
    std::string_view operation = {};
    int attempts = 0;
    std::string_view request_id = {};
    const Error* error =
        nullptr;  ///< Null on success. Log `what()`; `message()` may hold a number.
    std::chrono::microseconds duration{0};
};

/// Override what you need. Called from whatever thread works on the call; must be thread-safe and
/// must not throw (an exception ends the program).
class TWILIOWA_EXPORT Observer {
public:
    virtual ~Observer() = default;
    virtual void on_attempt(const AttemptEvent&) noexcept {}
    virtual void on_retry(const RetryEvent&) noexcept {}
    virtual void on_result(const ResultEvent&) noexcept {}
};

}  // namespace twiliowa
