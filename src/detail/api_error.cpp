#include "detail/api_error.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "detail/ascii.hpp"
#include "detail/dates.hpp"

namespace twiliowa::detail {

namespace {

using ErrorJson = nlohmann::json;

constexpr std::chrono::hours longest_retry_after{24 * 365};

struct ErrorBody {
    bool decoded = false;
    int code = 0;
    std::string message = {};
};

int small_int(const ErrorJson& value) {
    if (value.is_number_unsigned()) {
        const auto number = value.get<std::uint64_t>();
        return number > static_cast<std::uint64_t>(std::numeric_limits<int>::max())
                   ? 0
                   : static_cast<int>(number);
    }
    if (value.is_string())
        return parse_number<int>(value.get_ref<const std::string&>()).value_or(0);
    return 0;
}

std::string text_member(const ErrorJson& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// Any of: {code, message}, RFC 9457 {title, detail, code}, {errors: [{code, message}]}.
ErrorBody read_error_object(const ErrorJson& object, bool may_nest) {
    ErrorBody body;
    if (const auto code = object.find("code"); code != object.end()) body.code = small_int(*code);
    for (const char* name : {"message", "detail", "title"}) {
        if (body.message.empty()) body.message = text_member(object, name);
    }
    body.decoded = body.code != 0 || !body.message.empty();
    const auto errors = object.find("errors");
    if (!body.decoded && may_nest && errors != object.end() && errors->is_array() &&
        !errors->empty() && errors->front().is_object()) {
        return read_error_object(errors->front(), false);
    }
    return body;
}

ErrorBody read_error_body(std::string_view text) {
    const auto document = ErrorJson::parse(text, nullptr, false);
    return document.is_object() ? read_error_object(document, true) : ErrorBody{};
}

ErrorKind kind_of_status(int status) noexcept {
    switch (status) {
        case 401:
        case 403:
            return ErrorKind::authentication;
        case 404:
        case 410:
            return ErrorKind::not_found;
        case 429:
            return ErrorKind::rate_limit;
        default:
            return status >= 400 ? ErrorKind::api : ErrorKind::response;
    }
}

}  // namespace

std::string plain_request_id(const HttpResponse& response) {
    const auto id = response.header("Twilio-Request-Id");
    const bool plain =
        id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
            return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        });
    return plain ? std::string(id) : std::string{};
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, TimePoint now) {
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    if (value.empty()) return std::nullopt;
    constexpr std::chrono::milliseconds longest = longest_retry_after;
    const bool digits =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits) {
        const auto seconds = parse_number<std::int64_t>(value);
        if (!seconds || *seconds > longest.count() / 1000) return longest;
        return std::chrono::seconds{*seconds};
    }
    const auto date = parse_http_date(value);
    if (!date) return std::nullopt;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*date - now);
    return std::clamp(wait, std::chrono::milliseconds{0}, longest);
}

Error api_error(const HttpResponse& response, TimePoint now) {
    auto body = read_error_body(response.body);
    ErrorData data;
    data.kind = kind_of_status(response.status);
    data.http_status = response.status;
    data.code = body.code;
    data.message = std::move(body.message);
    data.request_id = plain_request_id(response);
    data.retry_after = parse_retry_after(response.header("Retry-After"), now);
    data.stage = Stage::receive;
    const bool refused = response.status >= 400 && response.status < 500;
    data.effect =
        refused && (body.decoded || response.status == 429) ? Effect::none : Effect::unknown;
    const auto advice = advise(data.code);
    if (data.code != 0) {
        data.summary = advice.title;
        data.hint = advice.advice;
    } else if (response.status >= 500) {
        data.summary = "Twilio failed to handle the request";
    } else if (response.status >= 300 && response.status < 400) {
        data.summary = "the answer is a redirect, which is not followed";
    } else if (!body.decoded) {
        data.summary = "the answer is not one of Twilio's; is there a proxy in between?";
    } else {
        data.summary = "Twilio refused the request";
    }
    return Error{std::move(data)};
}

Error unreadable_answer(const HttpResponse& response, std::string_view problem) {
    ErrorData data;
    data.kind = ErrorKind::response;
    data.effect = Effect::unknown;
    data.stage = Stage::decode;
    data.http_status = response.status;
    data.request_id = plain_request_id(response);
    data.summary = problem;
    return Error{std::move(data)};
}

std::optional<Error> refused_success(const HttpResponse& response) {
    const auto document = ErrorJson::parse(response.body, nullptr, false);
    if (!document.is_object() || document.value("success", ErrorJson()) != ErrorJson(false)) {
        return std::nullopt;
    }
    return unreadable_answer(response, "the answer says that it was not done");
}

}  // namespace twiliowa::detail
