/// @file
/// The customers' phones, and their chats with senders.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::fake {

struct FakePhone {
    std::string name = "Customer";
    std::string user_id = {};         ///< `whatsapp:US.4f1a`; empty: one made of the number.
    std::string parent_user_id = {};  ///< `whatsapp:US.ENT.4f1a`, if the portfolios are linked.
    int without_whatsapp = 0;         ///< The error code of what is sent to it; 0: it has WhatsApp.
    bool hides_number = false;        ///< Who does not know the number yet is given an id.
};

struct FakeChat {
    std::optional<TimePoint> last_inbound = {};
    std::optional<TimePoint> joined = {};        ///< The sandbox.
    std::optional<TimePoint> typing_since = {};  ///< The business is typing.
    int blocked = 0;  ///< The error code of what is sent there; 0: it arrives.
    bool refuses_marketing = false;
    bool reads_at_once = false;
    std::uint64_t number_forgotten = 0;  ///< Messages before that place no longer tell the number.
};

/// The id that is made of a number: of the form seen on webhooks, the same for the same number.
std::string made_up_user_id(std::string_view address);

class FakePhones {
public:
    using ChatKey = std::pair<std::string, std::string>;  ///< Sender, customer.

    FakePhone& phone(std::string_view customer) { return phones_[std::string{customer}]; }
    FakeChat& chat(std::string_view sender, std::string_view customer) {
        return chats_[ChatKey{sender, customer}];
    }
    const FakePhone* find_phone(std::string_view customer) const;
    const FakeChat* find_chat(std::string_view sender, std::string_view customer) const;
    /// Under which address the customer is kept that `address` reaches: for a user id that of the
    /// phone with it, its number if it has one; else `address` itself.
    std::string owner_of(std::string_view address) const;
    /// Whether anybody is there: an id that no phone has is one of another portfolio.
    bool is_reachable(std::string_view address) const;
    /// The customer's user id.
    std::string user_id_of(std::string_view customer) const;
    /// Moves the phone to another number, under which it has other ids. Who gets the old number is
    /// somebody else.
    void change_number(const std::string& from, const std::string& to);
    const std::map<std::string, FakePhone, std::less<>>& phones() const noexcept { return phones_; }
    const std::map<ChatKey, FakeChat>& chats() const noexcept { return chats_; }

private:
    bool has_id(std::string_view customer, std::string_view id) const;

    std::map<std::string, FakePhone, std::less<>> phones_;
    std::map<ChatKey, FakeChat> chats_;
};

/// Whether a free-form message may be sent at `now`.
bool is_window_open(const FakeChat* chat, TimePoint now) noexcept;
/// Whether the chat's customer is in the sandbox at `now`.
bool is_in_sandbox(const FakeChat* chat, TimePoint now) noexcept;

/// Whether the business is typing at `now`.
bool is_typing(const FakeChat* chat, TimePoint now) noexcept;

}  // namespace twiliowa::testing::fake
