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

std::string known_as(const FakeWorld& world, std::string_view sender, const std::string& customer) {
    const auto* phone = world.phones.find_phone(customer);
    const bool has_number = !is_user_id(identity_of(customer));
    if (phone == nullptr || (has_number && !phone->hides_number)) return customer;
    if (has_number) {
        const auto* chat = world.phones.find_chat(sender, customer);
        const std::uint64_t forgotten = chat == nullptr ? 0 : chat->number_forgotten;
        const auto& all = world.store.all();
        for (auto it = all.lower_bound(forgotten); it != all.end(); ++it) {
            const auto& record = it->second.record;
            if ((record.from == sender && record.to == customer) ||
                (record.to == sender && record.from == customer)) {
                return customer;
            }
        }
    }
    return phone->parent_user_id.empty() ? world.phones.user_id_of(customer)
                                         : phone->parent_user_id;
}

void append_user_ids(std::vector<FakeParameters::Entry>& fields, const FakeWorld& world,
                     const std::string& customer, const std::string& known_as) {
    const bool by_id = is_user_id(identity_of(known_as));
    if (!by_id && !world.options.user_ids) return;
    fields.emplace_back("ExternalUserId", by_id ? known_as : world.phones.user_id_of(customer));
    const auto* phone = world.phones.find_phone(customer);
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
