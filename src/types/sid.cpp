#include <twiliowa/types/sid.hpp>

#include <algorithm>

#include "text/ascii.hpp"

namespace twiliowa::detail {

const SidKind message_sid_kind{"MessageSid", "SM", "MM"};
const SidKind media_sid_kind{"MediaSid", "ME", "ME"};
const SidKind content_sid_kind{"ContentSid", "HX", "HX"};
const SidKind account_sid_kind{"AccountSid", "AC", "AC"};
const SidKind messaging_service_sid_kind{"MessagingServiceSid", "MG", "MG"};
const SidKind application_sid_kind{"ApplicationSid", "AP", "AP"};
const SidKind api_key_sid_kind{"ApiKeySid", "SK", "SK"};
const SidKind channel_sender_sid_kind{"ChannelSenderSid", "XE", "XE"};

namespace {

std::string sid_problem(const SidKind& kind, std::string_view text) {
    if (text.empty()) return "is empty";
    const auto prefix = text.substr(0, 2);
    if (prefix != kind.prefix && prefix != kind.other_prefix) {
        return std::string("does not begin with ") + kind.prefix;
    }
    if (text.size() != 34) {
        return "has " + std::to_string(text.size()) + " characters instead of 34";
    }
    return "has a character that is not a hexadecimal digit";
}

}  // namespace

bool is_whole_sid(const SidKind& kind, std::string_view text) noexcept {
    const auto prefix = text.substr(0, 2);
    return text.size() == 34 && (prefix == kind.prefix || prefix == kind.other_prefix) &&
           std::all_of(text.begin() + 2, text.end(), is_hex_digit);
}

Result<std::string> check_sid(const SidKind& kind, std::string_view text) {
    if (is_whole_sid(kind, text)) return std::string(text);
    return Error::invalid_request(
        kind.name, sid_problem(kind, text),
        std::string("give ") + kind.prefix + " followed by 32 hexadecimal digits");
}

bool is_readable_sid(std::string_view text) noexcept {
    return text.size() >= 3 && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), is_letter_or_digit);
}

}  // namespace twiliowa::detail
