/// @file
/// One operation of a client as a value, and the two ways to carry it out.
///
/// A client's verb is a definition, `constexpr Verb<T, Arguments...> cancel{kind, prepare, read}`,
/// and three forms of a line each, which call `run_verb` or `start_verb` with what the arguments
/// were prepared into.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

#include "call/call_driver.hpp"
#include "call/call_events.hpp"
#include "call/call_kind.hpp"
#include "call/client_core.hpp"

namespace twiliowa::detail {

/// A call that may begin: the operation, and on whose behalf it is carried out.
struct PreparedCall {
    Credentials credentials = {};
    Operation operation = {};
};

/// Where the answer to a verb is read into.
template <class T>
struct AnswerSlot {
    /// Reads an answer that says success, or says what is wrong with it.
    using Read = std::optional<Error> (*)(HttpResponse&, T&);

    T value{};

    std::optional<Error> take(Read read, HttpResponse& answer) { return read(answer, value); }
    Result<T> end(std::optional<Error> error) {
        if (error) return std::move(*error);
        return std::move(value);
    }
};

/// A verb without a value: its answer is only looked at.
template <>
struct AnswerSlot<void> {
    using Read = std::optional<Error> (*)(const HttpResponse&);

    static std::optional<Error> take(Read read, const HttpResponse& answer) { return read(answer); }
    static Result<void> end(std::optional<Error> error) {
        if (error) return std::move(*error);
        return {};
    }
};

/// One operation that a client offers: its name, method and path are spelled here and nowhere else.
template <class T, class... Arguments>
struct Verb {
    CallKind kind;
    /// Checks the arguments and makes the call of them.
    Result<PreparedCall> (*prepare)(const ClientCore& core, Arguments... arguments);
    typename AnswerSlot<T>::Read read;
};

/// Reads nothing: the answer has no body that matters.
inline std::optional<Error> read_nothing(const HttpResponse&) {
    return std::nullopt;
}

/// The end of a call that was refused before it began.
inline Error refuse_call(const ClientCore& core, const CallKind& kind, const Error& error,
                         const CallOptions& options, const BegunCall& begun = {}) {
    tell_refused(core, kind, {}, options.correlation_id, error, begun);
    return error;
}

/// The same for its asynchronous form.
template <class Done>
void refuse_call_async(const ClientCore& core, const std::shared_ptr<HttpTransport>& transport,
                       const CallKind& kind, const Error& error, const CallOptions& options,
                       Done done, const BegunCall& begun = {}) {
    complete_known(core, transport,
                   [done = std::move(done),
                    error = refuse_call(core, kind, error, options, begun)] { done(error); });
}

/// The blocking form of a verb.
/// @param begun  if the observer knows of the call already; so below
template <class T, class... Arguments>
Result<T> run_verb(const Verb<T, Arguments...>& verb, const ClientCore& core,
                   HttpTransport& transport, Result<PreparedCall> prepared,
                   const CallOptions& options, const BegunCall& begun = {}) {
    if (!prepared) return refuse_call(core, verb.kind, prepared.error(), options, begun);
    prepared->operation.kind = verb.kind;
    prepared->operation.begun = begun;
    AnswerSlot<T> slot;
    return slot.end(run_blocking(
        core, transport, prepared->credentials, std::move(prepared->operation), options,
        [&slot, read = verb.read](HttpResponse& answer) { return slot.take(read, answer); }));
}

/// Its asynchronous form: `done` takes a `Result<T>`, once.
template <class T, class... Arguments, class Done>
void start_verb(const Verb<T, Arguments...>& verb, const std::shared_ptr<const ClientCore>& core,
                const std::shared_ptr<HttpTransport>& transport, Result<PreparedCall> prepared,
                Done done, const CallOptions& options, const BegunCall& begun = {}) {
    if (!prepared) {
        return refuse_call_async(*core, transport, verb.kind, prepared.error(), options,
                                 std::move(done), begun);
    }
    prepared->operation.kind = verb.kind;
    prepared->operation.begun = begun;
    const auto slot = std::make_shared<AnswerSlot<T>>();
    run_async(
        core, transport, prepared->credentials, std::move(prepared->operation), options,
        [slot, read = verb.read](HttpResponse& answer) { return slot->take(read, answer); },
        [slot, done = std::move(done)](std::optional<Error> error) {
            done(slot->end(std::move(error)));
        });
}

}  // namespace twiliowa::detail
