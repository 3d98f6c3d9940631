#include <twiliowa/event_key.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace twiliowa {

namespace {

constexpr std::size_t longest_status = 32;

/// 90 bits of it: nobody can choose signatures, so two that agree in them will not be met; and what
/// a store holds is not the signature.
constexpr std::size_t signature_part = 15;

bool is_status_word(std::string_view status) noexcept {
    return status.size() <= longest_status && std::all_of(status.begin(), status.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
           });
}

/// A signature covers names and values one after the other, not where one ends and the next begins:
/// what was signed can be cut differently. What tells events apart must not allow it.
template <class Event>
Result<EventKey> key_of(const Event& event, const char* kind, const std::string& status) {
    if (!detail::is_whole_sid(detail::account_sid_kind, event.account_sid.str())) {
        return Error::invalid_request("AccountSid", "the webhook has no whole AccountSid",
                                      "Twilio sends one with every message and status");
    }
    if (!detail::is_whole_sid(detail::message_sid_kind, event.sid.str())) {
        return Error::invalid_request("MessageSid", "the webhook has no whole MessageSid",
                                      "Twilio sends one with every message and status");
    }
    if (!is_status_word(status)) {
        return Error::invalid_request("MessageStatus", "the status is not a word in lower case");
    }
    return EventKey{.account_sid = event.account_sid.str(),
                    .message_sid = event.sid.str(),
                    .kind = kind,
                    .status = status};
}

Result<EventKey> unbound_key(const WebhookEvent& event, std::string_view signature) {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        return key_of(*message, "message", {});
    }
    if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        return key_of(*callback, "status", callback->status.str());
    }
    const auto& unknown = std::get<UnknownWebhook>(event);
    return EventKey{.account_sid = unknown.account_sid.str(),
                    .message_sid = unknown.sid.str(),
                    .kind = "unknown",
                    .status = std::string{signature}};
}

}  // namespace

Result<EventKey> event_key(const WebhookEvent& event, std::string_view signature) {
    const auto part = signature.substr(0, signature_part);
    auto key = unbound_key(event, part);
    if (key) key->signature = part;
    return key;
}

}  // namespace twiliowa
