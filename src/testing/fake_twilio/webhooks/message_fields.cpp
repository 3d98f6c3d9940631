#include "testing/fake_twilio/webhooks/message_fields.hpp"

namespace twiliowa::testing::fake {

void append_message_fields(std::vector<FakeParameters::Entry>& fields, const Message& record) {
    fields.emplace_back("MessageSid", record.sid.str());
    fields.emplace_back("AccountSid", record.account_sid);
    fields.emplace_back("From", record.from);
    fields.emplace_back("ApiVersion", record.api_version);
    if (!record.messaging_service_sid.empty()) {
        fields.emplace_back("MessagingServiceSid", record.messaging_service_sid);
    }
}

std::map<std::string, std::string, std::less<>>::const_iterator find_hook(
    const std::map<std::string, std::string, std::less<>>& hooks, const Message& record,
    const std::string& sender) {
    for (const auto* owner : {&record.messaging_service_sid, &sender, &record.account_sid}) {
        const auto found = owner->empty() ? hooks.end() : hooks.find(*owner);
        if (found != hooks.end()) return found;
    }
    return hooks.end();
}

}  // namespace twiliowa::testing::fake
