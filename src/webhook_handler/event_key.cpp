#include <twiliowa/event_key.hpp>

#include <algorithm>
#include <string>

#include "webhook_handler/fill_event_key.hpp"

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
std::optional<Error> fill_of(EventKey& key, const Event& event, const char* kind,
                             std::string_view status) {
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
    key.account_sid = event.account_sid.str();
    key.message_sid = event.sid.str();
    key.kind = kind;
    key.status = status;
    return std::nullopt;
}

std::optional<Error> fill_unbound(EventKey& key, const WebhookEvent& event,
                                  std::string_view signature) {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        return fill_of(key, *message, "message", {});
    }
    if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        return fill_of(key, *callback, "status", callback->status.str());
    }
    const auto& unknown = std::get<UnknownWebhook>(event);
    key.account_sid = unknown.account_sid.str();
    key.message_sid = unknown.sid.str();
    key.kind = "unknown";
    key.status = signature;
    return std::nullopt;
}

}  // namespace

std::optional<Error> detail::fill_event_key(EventKey& key, const WebhookEvent& event,
                                            std::string_view signature) {
    const auto part = signature.substr(0, signature_part);
    if (auto wrong = fill_unbound(key, event, part)) return wrong;
    key.signature = part;
    return std::nullopt;
}

Result<EventKey> event_key(const WebhookEvent& event, std::string_view signature) {
    EventKey key;
    if (auto wrong = detail::fill_event_key(key, event, signature)) return *std::move(wrong);
    return key;
}

}  // namespace twiliowa
