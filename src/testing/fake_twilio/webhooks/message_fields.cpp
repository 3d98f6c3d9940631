#include "testing/fake_twilio/webhooks/message_fields.hpp"

#include <cstdint>

#include "testing/fake_twilio/world/address.hpp"

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

std::string made_up_user_id(std::string_view address) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : address) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return "whatsapp:ID." + std::to_string(1'000'000'000'000'000u + hash % 9'000'000'000'000'000u);
}

void append_user_ids(std::vector<FakeParameters::Entry>& fields, const FakeWorld& world,
                     const std::string& address) {
    const bool has_number = !is_user_id(identity_of(address));
    if (has_number && !world.options.user_ids) return;
    const auto* phone = world.phones.find_phone(address);
    const auto own = phone == nullptr ? std::string{} : phone->user_id;
    const auto otherwise = has_number ? made_up_user_id(address) : address;
    fields.emplace_back("ExternalUserId", own.empty() ? otherwise : own);
    if (phone != nullptr && !phone->parent_user_id.empty()) {
        fields.emplace_back("ParentExternalUserId", phone->parent_user_id);
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
