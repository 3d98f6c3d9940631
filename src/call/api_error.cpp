#include "call/api_error.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "text/ascii.hpp"
#include "text/dates.hpp"
#include "text/json_scanner.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::chrono::hours longest_retry_after{24 * 365};
/// What says no in more words is not Twilio.
constexpr std::size_t longest_error_body = 64u << 10;

/// Any of: {code, message}, RFC 9457 {title, detail, code}; v1 has both in the first of {errors}.
struct ErrorFields {
    int code = 0;
    std::string message = {};
    std::string detail = {};
    std::string title = {};

    bool decoded() const noexcept {
        return code != 0 || !message.empty() || !detail.empty() || !title.empty();
    }
    std::string& text() noexcept {
        return !message.empty() ? message : !detail.empty() ? detail : title;
    }
};

class ErrorReader final : public JsonEvents {
public:
    void start_object() override {
        ++depth_;
        in_first_ = in_first_ || (depth_ == 3 && in_errors_);
    }
    void end_object() override {
        --depth_;
        if (depth_ == 2) in_first_ = in_errors_ = false;
    }
    void start_array() override {
        ++depth_;
        if (depth_ == 1) is_object_ = false;
        if (depth_ == 2) in_errors_ = key_ == "errors" && !nested_.decoded();
    }
    void end_array() override {
        --depth_;
        if (depth_ == 1) in_errors_ = false;
    }
    void key(std::string_view name) override { key_ = name; }
    void string(std::string_view text) override {
        auto* const fields = here();
        if (fields == nullptr) return;
        if (key_ == "code") fields->code = not_negative(parse_number<int>(text).value_or(0));
        if (key_ == "message") fields->message = text;
        if (key_ == "detail") fields->detail = text;
        if (key_ == "title") fields->title = text;
    }
    void integer(std::int64_t number) override {
        auto* const fields = here();
        if (fields == nullptr || key_ != "code") return;
        if (number > std::numeric_limits<int>::max()) number = 0;
        fields->code = not_negative(number);
    }
    void boolean(bool value) override {
        if (depth_ == 1 && key_ == "success") says_failure_ = !value;
    }
    void other() override {}

    ErrorFields& found() noexcept { return root_.decoded() ? root_ : nested_; }
    bool is_object() const noexcept { return is_object_; }
    bool says_failure() const noexcept { return says_failure_; }

private:
    template <class Number>
    static int not_negative(Number number) noexcept {
        return number < 0 ? 0 : static_cast<int>(number);
    }
    ErrorFields* here() noexcept {
        if (depth_ == 1) return &root_;
        return depth_ == 3 && in_first_ ? &nested_ : nullptr;
    }

    int depth_ = 0;
    bool is_object_ = true;
    bool in_errors_ = false;  // before or in the first of them
    bool in_first_ = false;
    bool says_failure_ = false;
    std::string_view key_;
    ErrorFields root_;
    ErrorFields nested_;
};

ErrorFields read_error_body(std::string_view text) {
    ErrorReader reader;
    const bool readable = text.size() <= longest_error_body && scan_json(text, reader);
    return readable && reader.is_object() ? std::move(reader.found()) : ErrorFields{};
}

/// A proxy says it, and has passed nothing on (RFC 9110).
constexpr int proxy_wants_credentials = 407;

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
        case proxy_wants_credentials:
            return ErrorKind::transport;
        default:
            return status >= 400 ? ErrorKind::api : ErrorKind::response;
    }
}

}  // namespace

std::string plain_request_id(const HttpResponse& response) {
    const auto id = response.header("Twilio-Request-Id");
    const bool plain = id.size() <= 64 && std::all_of(id.begin(), id.end(), is_letter_or_digit);
    return plain ? std::string(id) : std::string{};
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, TimePoint now) {
    value = trim(value, blanks);
    if (value.empty()) return std::nullopt;
    constexpr std::chrono::milliseconds longest = longest_retry_after;
    const bool digits = std::all_of(value.begin(), value.end(), is_digit);
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
    const bool decoded = body.decoded();
    const bool refused = response.status >= 400 && response.status < 500;
    // A gateway that answers in its own words may have passed the request on before.
    const bool nothing_done = refused && (decoded || response.status == 429 ||
                                          response.status == proxy_wants_credentials);
    ErrorData data{.kind = kind_of_status(response.status),
                   .effect = nothing_done ? Effect::none : Effect::unknown,
                   .stage = Stage::receive,
                   .http_status = response.status,
                   .code = body.code,
                   .message = std::move(body.text()),
                   .request_id = plain_request_id(response),
                   .retry_after = parse_retry_after(response.header("Retry-After"), now)};
    const auto advice = advise(data.code);
    if (response.status == proxy_wants_credentials) {
        data.summary = "the proxy asks for credentials";
        data.hint = "give them with the proxy's address";
    } else if (data.code != 0) {
        data.summary = advice.title;
        data.hint = advice.advice;
    } else if (response.status >= 500) {
        data.summary = "Twilio failed to handle the request";
    } else if (response.status >= 300 && response.status < 400) {
        data.summary = "the answer is a redirect, which is not followed";
    } else if (!decoded) {
        data.summary = "the answer is not one of Twilio's; is there a proxy in between?";
    } else {
        data.summary = "Twilio refused the request";
    }
    return Error{std::move(data)};
}

Error unreadable_answer(const HttpResponse& response, std::string_view problem) {
    return Error{{.kind = ErrorKind::response,
                  .effect = Effect::unknown,
                  .stage = Stage::decode,
                  .http_status = response.status,
                  .summary = std::string(problem),
                  .request_id = plain_request_id(response)}};
}

bool may_pass(const Error& error) noexcept {
    switch (error.kind()) {
        case ErrorKind::transport:
        case ErrorKind::timeout:
        case ErrorKind::rate_limit:
        case ErrorKind::response:
            return true;
        case ErrorKind::api:
            return error.http_status() >= 500;
        default:
            return false;
    }
}

Error endless_list(std::string_view problem) {
    return Error{{.kind = ErrorKind::response,
                  .effect = Effect::none,
                  .stage = Stage::decode,
                  .summary = std::string(problem),
                  .field = "next_page_uri"}};
}

std::optional<Error> refused_success(const HttpResponse& response) {
    ErrorReader reader;
    if (response.body.size() > longest_error_body || !scan_json(response.body, reader) ||
        !reader.is_object() || !reader.says_failure()) {
        return std::nullopt;
    }
    return unreadable_answer(response, "the answer says that it was not done");
}

}  // namespace twiliowa::detail
