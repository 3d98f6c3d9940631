#include "testing/fake_twilio/world/phones.hpp"

#include <chrono>

namespace twiliowa::testing::fake {

namespace {

constexpr std::chrono::hours window{24};
constexpr std::chrono::hours sandbox_stay{72};
constexpr std::chrono::seconds typing_time{25};

}  // namespace

const FakePhone* FakePhones::find_phone(std::string_view customer) const {
    const auto found = phones_.find(customer);
    return found == phones_.end() ? nullptr : &found->second;
}

const FakeChat* FakePhones::find_chat(std::string_view sender, std::string_view customer) const {
    const auto found = chats_.find(ChatKey{sender, customer});
    return found == chats_.end() ? nullptr : &found->second;
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
