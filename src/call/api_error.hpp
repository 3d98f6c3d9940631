/// @file
/// From an HTTP answer that is not success to an Error.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Reads every error shape Twilio uses (facts 2.1). A 4xx that could be read, any 429 and a proxy's
/// 407 did nothing (Effect::none); everything else is Effect::unknown.
Error api_error(const HttpResponse& response, TimePoint now);

/// An answer with a good status that makes no sense.
Error unreadable_answer(const HttpResponse& response, std::string_view problem);

/// Whether the same question may have a better answer later: there was none, or one that says no
/// more than that.
bool may_pass(const Error& error) noexcept;

/// A list that is not walked any further.
Error endless_list(std::string_view problem);

/// Twilio-Request-Id, or empty if it is anything but a plain identifier: it is quoted in texts.
std::string plain_request_id(const HttpResponse& response);

/// Retry-After as seconds or as an HTTP date; nullopt when absent or nonsense. Never negative.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, TimePoint now);

/// For answers that are `{"success": true}`: the error, if it says false.
std::optional<Error> refused_success(const HttpResponse& response);

}  // namespace twiliowa::detail
