/// @file
/// Drives the call machine: with the caller's thread, or on an asynchronous transport.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>

#include "call/call_events.hpp"
#include "call/call_kind.hpp"
#include "call/call_machine.hpp"
#include "call/client_core.hpp"

namespace twiliowa::detail {

/// One call to the API.
struct Operation {
    CallKind kind = {};
    Repeat repeat = Repeat::harmless;
    std::string url = {};
    std::string body = {};
    bool is_json = false;       ///< What the body is; a form otherwise.
    std::string rate_key = {};  ///< Empty: no rate limit.
    /// The operation's own word on trying again after the attempt of that number (from 1) failed;
    /// nullopt leaves it to the retry table.
    std::function<std::optional<RepeatVerdict>(const Error&, int)> verdict = {};
    BegunCall begun = {};  ///< If the observer knows of the call already.
};

/// Makes sense of a 2xx answer, or says why it cannot.
using AnswerReader = std::function<std::optional<Error>(HttpResponse&)>;
using CallDone = std::function<void(std::optional<Error>)>;

/// Runs the call in this thread.
std::optional<Error> run_blocking(const ClientCore& core, HttpTransport& transport,
                                  const Credentials& credentials, Operation operation,
                                  const CallOptions& options, const AnswerReader& read);

Error transport_is_not_asynchronous();

/// Starts the call. `done` runs once: on the transport's thread or the executor, or, when the
/// transport is not asynchronous, at once with an error.
void run_async(std::shared_ptr<const ClientCore> core,
               const std::shared_ptr<HttpTransport>& transport, const Credentials& credentials,
               Operation operation, CallOptions options, AnswerReader read, CallDone done);

/// Hands a result that is known already to a callback: never inside the initiating call where the
/// transport is asynchronous, and at once where it is not, as there is no other thread for it.
void complete_known(const ClientCore& core, const std::shared_ptr<HttpTransport>& transport,
                    std::function<void()> done);

}  // namespace twiliowa::detail
