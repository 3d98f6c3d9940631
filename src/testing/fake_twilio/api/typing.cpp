#include "testing/fake_twilio/api/typing.hpp"

#include <string>

namespace twiliowa::testing::fake {

HttpResponse serve_typing(const FakeCall& call) {
    if (call.form.get("channel") != "whatsapp") {
        return invalid_parameter("channel is not whatsapp");
    }
    const auto sid = call.form.get("messageId");
    const auto* message = call.world.store.find(call.account.sid, sid);
    if (message == nullptr) return not_found("message");
    if (message->record.direction != Direction::inbound) {
        return invalid_parameter("messageId is not a message from a customer");
    }
    auto& phones = call.world.phones;
    auto& chat = phones.chat(message->record.to, phones.owner_of(message->record.from));
    chat.typing_since = call.moment.now;
    ++call.world.revision;
    return json_response(200, R"({"success":true})");
}

}  // namespace twiliowa::testing::fake
