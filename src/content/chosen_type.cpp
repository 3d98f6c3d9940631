#include "content/chosen_type.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace twiliowa::detail {

namespace {

// Richest first: the channel's own types, then Twilio's, plain text last.
constexpr std::array<std::string_view, 14> shown_on_whatsapp{
    "whatsapp/card",         "whatsapp/authentication",
    "whatsapp/flows",        "twilio/carousel",
    "twilio/card",           "twilio/catalog",
    "twilio/flows",          "twilio/schedule",
    "twilio/list-picker",    "twilio/quick-reply",
    "twilio/call-to-action", "twilio/location",
    "twilio/media",          "twilio/text"};
constexpr std::array<std::string_view, 4> shown_as_sms{"twilio/text", "twilio/media",
                                                       "twilio/location", "twilio/list-picker"};

const ContentType* first_of(const std::vector<ContentType>& types,
                            std::span<const std::string_view> names) noexcept {
    for (const auto name : names) {
        const auto found = std::find_if(types.begin(), types.end(), [&](const ContentType& each) {
            return type_name(each) == name;
        });
        if (found != types.end()) return &*found;
    }
    return nullptr;
}

}  // namespace

const ContentType* chosen_type(const std::vector<ContentType>& types,
                               Address::Channel channel) noexcept {
    if (types.empty()) return nullptr;
    const ContentType* chosen = nullptr;
    if (channel == Address::Channel::sms) chosen = first_of(types, shown_as_sms);
    if (chosen == nullptr) chosen = first_of(types, shown_on_whatsapp);
    return chosen != nullptr ? chosen : &types.front();
}

}  // namespace twiliowa::detail
