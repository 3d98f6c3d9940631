#include <twiliowa/types/error.hpp>

namespace twiliowa {

std::string_view to_string(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid_request:
            return "invalid_request";
        case ErrorKind::outcome_unknown:
            return "outcome_unknown";
        case ErrorKind::api:
            return "api";
        case ErrorKind::authentication:
            return "authentication";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::rate_limit:
            return "rate_limit";
        case ErrorKind::transport:
            return "transport";
        case ErrorKind::timeout:
            return "timeout";
        case ErrorKind::response:
            return "response";
        case ErrorKind::cancelled:
            return "cancelled";
    }
    return "unknown";
}

std::string_view to_string(Effect effect) noexcept {
    return effect == Effect::none ? "none" : "unknown";
}

std::string_view to_string(Stage stage) noexcept {
    switch (stage) {
        case Stage::prepare:
            return "prepare";
        case Stage::resolve:
            return "resolve";
        case Stage::connect:
            return "connect";
        case Stage::tls:
            return "tls";
        case Stage::send:
            return "send";
        case Stage::receive:
            return "receive";
        case Stage::decode:
            return "decode";
    }
    return "unknown";
}

struct Error::State {
    ErrorData data;
    std::string what;
};

namespace detail {
namespace {

/// How a text for people begins.
std::string_view words_of_kind(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid_request:
            return "invalid request";
        case ErrorKind::outcome_unknown:
            return "outcome unknown";
        case ErrorKind::api:
            return "refused by Twilio";
        case ErrorKind::authentication:
            return "authentication failed";
        case ErrorKind::not_found:
            return "not found";
        case ErrorKind::rate_limit:
            return "rate limited";
        case ErrorKind::transport:
            return "transport failure";
        case ErrorKind::timeout:
            return "timed out";
        case ErrorKind::response:
            return "unusable response";
        case ErrorKind::cancelled:
            return "cancelled";
    }
    return "error";
}

void append_error_words(std::string& text, std::string_view words) {
    if (words.empty()) return;
    if (!text.empty()) text += "; ";
    text += words;
}

std::string describe_error(const ErrorData& data) {
    std::string text{words_of_kind(data.kind)};
    if (!data.field.empty()) {
        text += ": ";
        text += data.field;
    }
    if (!data.summary.empty()) {
        text += ": ";
        text += data.summary;
    }
    append_error_words(text, data.hint);
    std::string facts;
    const auto add = [&facts](std::string_view name, std::string_view value) {
        if (!facts.empty()) facts += ", ";
        facts += name;
        facts += ' ';
        facts += value;
    };
    if (data.http_status != 0) add("HTTP", std::to_string(data.http_status));
    if (data.code != 0) add("code", std::to_string(data.code));
    if (!data.request_id.empty()) add("request", data.request_id);
    if (!data.host.empty()) {
        add("host", data.port == 0 ? data.host : data.host + ':' + std::to_string(data.port));
    }
    const bool local = data.kind == ErrorKind::invalid_request;
    if (!local) add("stage", to_string(data.stage));
    if (!local) add("effect", to_string(data.effect));
    if (data.attempts > 1) add("attempts", std::to_string(data.attempts));
    if (!facts.empty()) {
        text += " [";
        text += facts;
        text += ']';
    }
    return text;
}

}  // namespace
}  // namespace detail

Error::Error(ErrorData data) {
    auto state = std::make_shared<State>();
    state->what = detail::describe_error(data);
    state->data = std::move(data);
    state_ = std::move(state);
}

ErrorKind Error::kind() const noexcept {
    return state_->data.kind;
}
Effect Error::effect() const noexcept {
    return state_->data.effect;
}
Stage Error::stage() const noexcept {
    return state_->data.stage;
}
int Error::http_status() const noexcept {
    return state_->data.http_status;
}
int Error::code() const noexcept {
    return state_->data.code;
}
const std::string& Error::what() const noexcept {
    return state_->what;
}
const std::string& Error::message() const noexcept {
    return state_->data.message;
}
const std::string& Error::request_id() const noexcept {
    return state_->data.request_id;
}
const std::string& Error::field() const noexcept {
    return state_->data.field;
}
const std::string& Error::hint() const noexcept {
    return state_->data.hint;
}
const std::string& Error::host() const noexcept {
    return state_->data.host;
}
int Error::port() const noexcept {
    return state_->data.port;
}
int Error::attempts() const noexcept {
    return state_->data.attempts;
}
const std::optional<std::chrono::milliseconds>& Error::retry_after() const noexcept {
    return state_->data.retry_after;
}
const Error* Error::cause() const noexcept {
    return state_->data.cause.get();
}
ErrorAdvice Error::advice() const noexcept {
    return advise(state_->data.code);
}
bool Error::is_permanent() const noexcept {
    switch (kind()) {
        case ErrorKind::invalid_request:
        case ErrorKind::not_found:
            return true;
        case ErrorKind::api: {
            // Nothing is known of it but that the server failed, or had no time.
            if (http_status() >= 500 || http_status() == 408) return false;
            if (code() == 0) return true;
            const auto known = advice();
            return known.category != ErrorCategory::account &&
                   known.category != ErrorCategory::authentication &&
                   (known.retry == RetryAdvice::never || known.retry == RetryAdvice::after_fix);
        }
        default:
            return false;
    }
}
const ErrorData& Error::data() const noexcept {
    return state_->data;
}

void Error::raise() const {
    switch (kind()) {
        case ErrorKind::invalid_request:
            throw InvalidRequestError(*this);
        case ErrorKind::outcome_unknown:
            throw OutcomeUnknownError(*this);
        case ErrorKind::api:
            throw ApiError(*this);
        case ErrorKind::authentication:
            throw AuthenticationError(*this);
        case ErrorKind::not_found:
            throw NotFoundError(*this);
        case ErrorKind::rate_limit:
            throw RateLimitError(*this);
        case ErrorKind::transport:
            throw TransportError(*this);
        case ErrorKind::timeout:
            throw TimeoutError(*this);
        case ErrorKind::response:
            throw ResponseError(*this);
        case ErrorKind::cancelled:
            throw CancelledError(*this);
    }
    throw TwilioError(*this);
}

Error Error::invalid_request(std::string_view field, std::string_view problem,
                             std::string_view hint, int code) {
    return Error{{.kind = ErrorKind::invalid_request,
                  .effect = Effect::none,
                  .code = code,
                  .summary = std::string(problem),
                  .field = std::string(field),
                  .hint = std::string(hint)}};
}

Error Error::transport(Effect effect, Stage stage, std::string_view summary) {
    return Error{{.kind = ErrorKind::transport,
                  .effect = effect,
                  .stage = stage,
                  .summary = std::string(summary)}};
}

const char* TwilioError::what() const noexcept {
    return error_.what().c_str();
}

}  // namespace twiliowa
