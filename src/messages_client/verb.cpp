#include "messages_client/verb.hpp"

#include <utility>

#include "call/api_error.hpp"
#include "messages_client/message_codec.hpp"
#include "text/form.hpp"

namespace twiliowa::detail {

Result<Prepared> prepare(const CallEnvironment& environment, HttpMethod method, Repeat repeat,
                         std::string_view rest) {
    auto credentials = environment.credentials();
    if (!credentials) return credentials.error();
    const auto& account = credentials->account_sid();
    Prepared prepared{.credentials = std::move(*credentials)};
    auto& operation = prepared.operation;
    operation.method = method;
    operation.repeat = repeat;
    operation.url.reserve(environment.origin.base.size() + 70 + rest.size());
    operation.url.append(environment.origin.base)
        .append("/2010-04-01/Accounts/")
        .append(account.str())
        .append("/Messages")
        .append(rest);
    return prepared;
}

Result<Prepared> prepare_for_message(const CallEnvironment& environment, HttpMethod method,
                                     Repeat repeat, const MessageSid& sid, std::string_view rest) {
    if (sid.empty()) {
        return Error::invalid_request("MessageSid", "is empty", "give SM or MM and 32 hex digits");
    }
    return prepare(environment, method, repeat, '/' + sid.str() + std::string(rest));
}

std::optional<Error> read_message(HttpResponse& answer, Message& message) {
    message = {};  // an earlier attempt may have left something
    if (decode_message(answer.body, message) == Decoded::complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a message");
}

}  // namespace twiliowa::detail
