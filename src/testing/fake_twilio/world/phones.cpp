#include "testing/fake_twilio/world/phones.hpp"

#include <algorithm>
#include <chrono>

#include "testing/fake_twilio/world/address.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::chrono::hours window{24};
constexpr std::chrono::hours sandbox_stay{72};
constexpr std::chrono::seconds typing_time{25};

/// `US.4f1a` as one of linked portfolios: `US.ENT.4f1a`.
std::string parent_of(std::string id) {
    const auto dot = id.find('.');
    return id.insert(dot + 1, "ENT.");
}

}  // namespace

std::string made_up_user_id(std::string_view address) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : address) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return "whatsapp:ID." + std::to_string(1'000'000'000'000'000u + hash % 9'000'000'000'000'000u);
}

const FakePhone* FakePhones::find_phone(std::string_view customer) const {
    const auto found = phones_.find(customer);
    return found == phones_.end() ? nullptr : &found->second;
}

const FakeChat* FakePhones::find_chat(std::string_view sender, std::string_view customer) const {
    const auto found = chats_.find(ChatKey{sender, customer});
    return found == chats_.end() ? nullptr : &found->second;
}

std::string FakePhones::user_id_of(std::string_view customer) const {
    const auto* phone = find_phone(customer);
    if (phone != nullptr && !phone->user_id.empty()) return phone->user_id;
    return is_user_id(identity_of(customer)) ? std::string{customer} : made_up_user_id(customer);
}

bool FakePhones::has_id(std::string_view customer, std::string_view id) const {
    const auto* phone = find_phone(customer);
    return user_id_of(customer) == id || (phone != nullptr && phone->parent_user_id == id);
}

std::string FakePhones::owner_of(std::string_view address) const {
    if (!is_user_id(identity_of(address))) return std::string{address};
    for (const auto& [customer, phone] : phones_) {
        if (has_id(customer, address)) return customer;
    }
    for (const auto& [key, chat] : chats_) {
        if (has_id(key.second, address)) return key.second;
    }
    return std::string{address};
}

bool FakePhones::is_reachable(std::string_view address) const {
    const auto owner = owner_of(address);
    if (!is_user_id(identity_of(owner)) || find_phone(owner) != nullptr) return true;
    return std::any_of(chats_.begin(), chats_.end(),
                       [&](const auto& entry) { return entry.first.second == owner; });
}

void FakePhones::change_number(const std::string& from, const std::string& to) {
    auto moved = phone(from);
    const auto left = user_id_of(from);
    moved.user_id = made_up_user_id(left + " " + to);
    if (!moved.parent_user_id.empty()) moved.parent_user_id = parent_of(moved.user_id);
    phones_[to] = std::move(moved);
    auto& next = phones_[from] = {};
    next.user_id = made_up_user_id(left + " " + from);
    std::erase_if(chats_, [&](const auto& entry) { return entry.first.second == from; });
}

bool is_window_open(const FakeChat* chat, TimePoint now) noexcept {
    return chat != nullptr && chat->last_inbound && now < *chat->last_inbound + window;
}

bool is_in_sandbox(const FakeChat* chat, TimePoint now) noexcept {
    return chat != nullptr && chat->joined && now < *chat->joined + sandbox_stay;
}

bool is_typing(const FakeChat* chat, TimePoint now) noexcept {
    return chat != nullptr && chat->typing_since && now < *chat->typing_since + typing_time;
}

}  // namespace twiliowa::testing::fake
