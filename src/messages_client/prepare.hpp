/// @file
/// Calls to the Messages resource, on the way out and back.
#pragma once

#include <optional>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sid.hpp>

#include "call/verb.hpp"

namespace twiliowa::detail {

/// The path of one message, for observers.
inline constexpr std::string_view message_path =
    "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json";

/// What observers are told of every look at the list, reconcile's too.
inline constexpr CallKind list_call{"messages.list", HttpMethod::get,
                                    "/2010-04-01/Accounts/{AccountSid}/Messages.json"};

/// `/2010-04-01/Accounts/{AccountSid}/Messages` plus `rest`, and the credentials for it.
Result<PreparedCall> prepare(const ClientCore& core, Repeat repeat, std::string_view rest);

/// `/{Sid}` and what follows it; refuses a SID that was never set.
Result<PreparedCall> prepare_for_message(const ClientCore& core, Repeat repeat,
                                         const MessageSid& sid, std::string_view rest = ".json");

std::optional<Error> read_message(HttpResponse& answer, Message& message);

}  // namespace twiliowa::detail
