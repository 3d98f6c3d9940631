#include "messages_client/prepare.hpp"

#include <utility>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "messages_client/message_codec.hpp"
#include "text/form.hpp"

namespace twiliowa::detail {

Result<PreparedCall> prepare(const ClientCore& core, Repeat repeat, std::string_view rest) {
    auto prepared = prepare_of_account(core, {"/Messages", rest});
    if (prepared) prepared->operation.repeat = repeat;
    return prepared;
}

Result<PreparedCall> prepare_for_message(const ClientCore& core, Repeat repeat,
                                         const MessageSid& sid, std::string_view rest) {
    if (sid.empty()) {
        return Error::invalid_request("MessageSid", "is empty", "give SM or MM and 32 hex digits");
    }
    return prepare(core, repeat, '/' + sid.str() + std::string(rest));
}

std::optional<Error> read_message(HttpResponse& answer, Message& message) {
    message = {};  // an earlier attempt may have left something
    if (decode_message(answer.body, message) == Decoded::complete) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a message");
}

}  // namespace twiliowa::detail
