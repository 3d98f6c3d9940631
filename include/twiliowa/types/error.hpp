/// @file
/// The error vocabulary: `Error` is a value (what `Result` carries), `TwilioError` and its leaves
/// are the exceptions (what the throwing verbs throw). Both say the same things.
#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error_advice.hpp>

namespace twiliowa {

/// What went wrong; each kind has an exception of the same name.
enum class ErrorKind {
    invalid_request,  ///< Refused here, before the network. Nothing was sent.
    outcome_unknown,  ///< The operation may have been carried out: look before you repeat it.
    api,              ///< Twilio answered no.
    authentication,   ///< Twilio refused the credentials (HTTP 401 or 403).
    not_found,        ///< Twilio knows no such resource (HTTP 404 or 410).
    rate_limit,       ///< Twilio asked to slow down (HTTP 429).
    transport,        ///< No answer.
    timeout,          ///< The deadline passed.
    response,         ///< An answer that the API does not promise.
    cancelled,        ///< Cancelled before anything was done.
};

/// What the failed operation did on Twilio's side, as far as it can be known.
enum class Effect {
    none,     ///< Certainly nothing.
    unknown,  ///< It may have been carried out, or not.
};

/// How far a call had come when it failed.
enum class Stage {
    prepare,  ///< Local checks, credentials, waiting for a slot or between attempts.
    resolve,  ///< Looking up the host name.
    connect,  ///< Opening the TCP connection (or the proxy's tunnel).
    tls,      ///< The TLS handshake.
    send,     ///< Sending the request.
    receive,  ///< Waiting for, or reading, the answer.
    decode,   ///< Making sense of the answer.
};

TWILIOWA_EXPORT std::string_view to_string(ErrorKind kind) noexcept;
TWILIOWA_EXPORT std::string_view to_string(Effect effect) noexcept;
TWILIOWA_EXPORT std::string_view to_string(Stage stage) noexcept;

class Error;

/// Everything known about a failure. Plain data: name what is known, and hand it to `Error`:
/// `Error{{.kind = ErrorKind::timeout, .summary = "no answer"}}`.
struct ErrorData {
    ErrorKind kind = ErrorKind::transport;
    Effect effect = Effect::unknown;
    Stage stage = Stage::prepare;
    int http_status = 0;       ///< 0 when there was no complete HTTP answer.
    int code = 0;              ///< Twilio's error code, 0 when there is none.
    std::string summary = {};  ///< Our words. Never holds a secret, a phone number or message text.
    std::string message = {};  ///< Twilio's words. MAY HOLD A PHONE NUMBER: do not log it blindly.
    std::string request_id = {};  ///< `Twilio-Request-Id`; quote it to Twilio's support.
    std::string field = {};       ///< The offending parameter, as Twilio spells it ("To").
    std::string hint = {};        ///< The way out.
    std::string host = {};        ///< The host that was called, or the proxy that failed before it.
    int port = 0;                 ///< Its port, 0 when no connection was tried.
    int attempts = 0;             ///< How often the request was tried.
    std::optional<std::chrono::milliseconds> retry_after = {};  ///< What Twilio asked to wait.
    std::shared_ptr<const Error> cause = {};                    ///< What made the outcome unknown.
};

/// A failure as a value. Copying never throws and never allocates. Immutable, so safe to share
/// between threads.
class TWILIOWA_EXPORT Error {
public:
    [[gnu::cold]] explicit Error(ErrorData data);

    ErrorKind kind() const noexcept;
    Effect effect() const noexcept;
    Stage stage() const noexcept;
    int http_status() const noexcept;
    int code() const noexcept;
    /// Our words, with stage, host, code and request id. Free of secrets, phone numbers and
    /// message text, so it may be logged.
    const std::string& what() const noexcept;
    /// Twilio's own words, empty when there are none. May hold a phone number.
    const std::string& message() const noexcept;
    const std::string& request_id() const noexcept;
    const std::string& field() const noexcept;
    const std::string& hint() const noexcept;
    const std::string& host() const noexcept;
    int port() const noexcept;
    int attempts() const noexcept;
    const std::optional<std::chrono::milliseconds>& retry_after() const noexcept;
    /// The failure behind an `outcome_unknown`, or null.
    const Error* cause() const noexcept;
    /// What the offline catalogue says of `code()`.
    ErrorAdvice advice() const noexcept;
    /// Whether the same request would fail again, whenever it is made: it was refused here, or
    /// Twilio knows of no such resource, or answered a code whose advice is never or after_fix.
    /// False where it may pass: no answer, an unknown outcome, too many requests, and credentials
    /// or an account that somebody has to put right, which is no fault of the request. For who has
    /// to choose between another try and the dead letters; an outbox chooses by itself.
    bool is_permanent() const noexcept;
    /// Everything, as it was given.
    const ErrorData& data() const noexcept;
    /// The same failure, but for what `change`, a function of `ErrorData&`, makes of its data.
    template <class Change>
    Error with(Change&& change) const {
        auto changed = data();
        std::forward<Change>(change)(changed);
        return Error{std::move(changed)};
    }

    /// Throws the exception that belongs to `kind()`.
    [[noreturn, gnu::cold]] void raise() const;

    /// A refusal made here: field as Twilio spells it, what is wrong with it, and the way out.
    [[gnu::cold]] static Error invalid_request(std::string_view field, std::string_view problem,
                                               std::string_view hint = {}, int code = 0);
    /// A failure of a transport. `effect` is none only if not a byte of the request's body left.
    [[gnu::cold]] static Error transport(Effect effect, Stage stage, std::string_view summary);

private:
    struct State;
    std::shared_ptr<const State> state_;
};

/// Root of every exception this library throws. Copying never throws.
class TWILIOWA_EXPORT TwilioError : public std::exception {
public:
    explicit TwilioError(Error error) noexcept : error_(std::move(error)) {}

    const char* what() const noexcept override;
    /// The same failure as a value.
    const Error& error() const noexcept { return error_; }

    ErrorKind kind() const noexcept { return error_.kind(); }
    Effect effect() const noexcept { return error_.effect(); }
    Stage stage() const noexcept { return error_.stage(); }
    int http_status() const noexcept { return error_.http_status(); }
    int code() const noexcept { return error_.code(); }
    const std::string& message() const noexcept { return error_.message(); }
    const std::string& request_id() const noexcept { return error_.request_id(); }
    const std::string& field() const noexcept { return error_.field(); }
    const std::string& hint() const noexcept { return error_.hint(); }
    const std::string& host() const noexcept { return error_.host(); }
    int port() const noexcept { return error_.port(); }
    int attempts() const noexcept { return error_.attempts(); }
    const std::optional<std::chrono::milliseconds>& retry_after() const noexcept {
        return error_.retry_after();
    }
    const Error* cause() const noexcept { return error_.cause(); }
    ErrorAdvice advice() const noexcept { return error_.advice(); }
    /// Whether the same request would fail again, whenever it is made; see Error.
    bool is_permanent() const noexcept { return error_.is_permanent(); }

private:
    Error error_;
};

/// Refused here, before the network; `field()` names the culprit, `hint()` the way out.
class TWILIOWA_EXPORT InvalidRequestError : public TwilioError {
public:
    using TwilioError::TwilioError;
};
/// It may have been sent: look (`MessagesClient::reconcile`) before you send again.
class TWILIOWA_EXPORT OutcomeUnknownError : public TwilioError {
public:
    using TwilioError::TwilioError;
};
/// Twilio answered no. Nothing was done, unless `effect()` of a verb that may be repeated (cancel,
/// redact, remove) says that it is unknown.
class TWILIOWA_EXPORT ApiError : public TwilioError {
public:
    using TwilioError::TwilioError;
};
/// The credentials were refused.
class TWILIOWA_EXPORT AuthenticationError : public ApiError {
public:
    using ApiError::ApiError;
};
/// There is no such resource.
class TWILIOWA_EXPORT NotFoundError : public ApiError {
public:
    using ApiError::ApiError;
};
/// Slow down; `retry_after()` says how long, when Twilio said so.
class TWILIOWA_EXPORT RateLimitError : public ApiError {
public:
    using ApiError::ApiError;
};
/// No answer. From a send: nothing was done. From a verb that may be repeated (cancel, redact,
/// remove): `effect()` says whether something may have been; do it again.
class TWILIOWA_EXPORT TransportError : public TwilioError {
public:
    using TwilioError::TwilioError;
};
/// Out of time; otherwise as TransportError.
class TWILIOWA_EXPORT TimeoutError : public TransportError {
public:
    using TransportError::TransportError;
};
/// An answer that is not what the API promises, to a verb that may be repeated: a send ends in
/// OutcomeUnknownError instead.
class TWILIOWA_EXPORT ResponseError : public TwilioError {
public:
    using TwilioError::TwilioError;
};
/// Cancelled; otherwise as TransportError.
class TWILIOWA_EXPORT CancelledError : public TwilioError {
public:
    using TwilioError::TwilioError;
};

}  // namespace twiliowa
