#pragma once

#include <optional>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sid.hpp>

#include "call/call_driver.hpp"

namespace twiliowa::detail {

/// An operation and who carries it out; what a verb's three forms share.
struct Prepared {
    Credentials credentials = {};
    Operation operation = {};
};

/// `/2010-04-01/Accounts/{AccountSid}/Messages` plus `rest`, and the credentials for it.
Result<Prepared> prepare(const CallEnvironment& environment, HttpMethod method, Repeat repeat,
                         std::string_view rest);

/// `/{Sid}` and what follows it; refuses a SID that was never set.
Result<Prepared> prepare_for_message(const CallEnvironment& environment, HttpMethod method,
                                     Repeat repeat, const MessageSid& sid,
                                     std::string_view rest = ".json");

/// Reads an answer that says success, or says what is wrong with it.
template <class T>
using ReadAnswer = std::optional<Error> (*)(HttpResponse&, T&);

/// The same for a verb that has no value.
using CheckAnswer = std::optional<Error> (*)(const HttpResponse&);

std::optional<Error> read_message(HttpResponse& answer, Message& message);

}  // namespace twiliowa::detail
