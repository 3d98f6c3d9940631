#include "messages_client/send_gate.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/state/customers.hpp>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

bool is_free_form(const OutboundMessage& message) {
    return message.content_sid.empty() &&
           std::none_of(message.extra.begin(), message.extra.end(),
                        [](const auto& entry) { return entry.first == "ContentSid"; });
}

bool refused_by_twilio(ErrorKind kind) noexcept {
    return kind == ErrorKind::api || kind == ErrorKind::authentication ||
           kind == ErrorKind::not_found || kind == ErrorKind::rate_limit;
}

bool is_marketing(const OutboundMessage& message, const CompiledTemplate* content) noexcept {
    return (content != nullptr && content->is_marketing) ||
           equals_ignoring_case(message.category.str(), TemplateCategory::marketing);
}

Error no_marketing_refusal() {
    return Error::invalid_request("To", "has opted out of marketing from this sender",
                                  "send no marketing until the recipient opts in again (START)",
                                  63050);
}

/// Why the message does not go, if it does not.
std::optional<Error> opted_out_refusal(const OptOutState& stopped, bool marketing) {
    if (stopped.everything) {
        return Error::invalid_request("To", "has opted out of messages from this sender",
                                      "send nothing more until the recipient opts in again (START)",
                                      21610);
    }
    if (stopped.blocked) {
        return Error::invalid_request("To", "has blocked this sender",
                                      "send nothing more until the recipient writes again", 63033);
    }
    if (stopped.marketing && marketing) {
        return no_marketing_refusal();
    }
    return std::nullopt;
}

Error window_refusal(bool known) {
    return Error::invalid_request(
        "Body",
        known ? "is free-form, and the 24-hour window of the recipient is closed"
              : "is free-form, and nothing is known of the 24-hour window of the recipient",
        "send a template, or name one in fallback_content_sid", 63016);
}

/// Whether a message of that template goes in the 24-hour window only.
bool needs_window(const CompiledTemplate& content, bool direct_send) noexcept {
    return content.is_session_only || !(content.is_approved || direct_send);
}

std::string standing_of(const CompiledTemplate& content) {
    if (!content.content.approval) return "unsubmitted";
    return content.content.approval->status.str();
}

Error unapproved_refusal(const CompiledTemplate& content) {
    return Error::invalid_request("ContentSid",
                                  "is a template of type " + content.whatsapp_type +
                                      ", which needs WhatsApp's approval and is " +
                                      standing_of(content),
                                  "submit it, and wait until it is approved", 63016);
}

Error template_window_refusal(const CompiledTemplate& content, bool known) {
    const std::string window =
        known ? ", and the 24-hour window of the recipient is closed"
              : ", and nothing is known of the 24-hour window of the recipient";
    return content.is_session_only
               ? Error::invalid_request("ContentSid",
                                        "is a template of type " + content.whatsapp_type +
                                            ", which goes within the window only" + window,
                                        "send a template of another type", 63016)
               : Error::invalid_request("ContentSid",
                                        "is a template that WhatsApp has not approved (it is " +
                                            standing_of(content) + ")" + window,
                                        "send one that is approved", 63016);
}

/// Who the recipient is to each of the note's senders. Read once for a send, though windows and
/// opt-outs both ask.
class LinkedRecipient {
public:
    explicit LinkedRecipient(const SendNote& note) : note_(note) {}

    /// For the sender at that place.
    Result<LinkedCustomer> of(const std::shared_ptr<const Customers>& customers,
                              std::size_t place) {
        if (customers != read_by_) {
            auto linked = customers->linked(note_.senders, note_.to);
            if (!linked) return linked.error();
            linked_ = std::move(*linked);
            read_by_ = customers;
        }
        return linked_[place];
    }

private:
    const SendNote& note_;
    std::shared_ptr<const Customers> read_by_;
    std::vector<LinkedCustomer> linked_;
};

/// What `part` knows of the recipient, as the sender at that place has them.
template <class Part, class... At>
auto state_for(const Part& part, const SendNote& note, std::size_t place,
               LinkedRecipient& recipient, const At&... at)
    -> decltype(part.state(note.senders[place], note.to, at...)) {
    const auto& sender = note.senders[place];
    if (!part.customers()) return part.state(sender, note.to, at...);
    const auto linked = recipient.of(part.customers(), place);
    if (!linked) return linked.error();
    return part.state(sender, *linked, at...);
}

/// What the first sender of which something is known says of the window.
Result<WindowState> window_state(const ConversationWindow& window, const SendNote& note,
                                 const std::optional<TimePoint>& at, LinkedRecipient& recipient) {
    for (std::size_t i = 0; i < note.senders.size(); ++i) {
        if (note.senders[i].empty()) continue;
        auto state = state_for(window, note, i, recipient, at);
        if (!state || state->known) return state;
    }
    return WindowState{};
}

}  // namespace

SendNote note_of(const CheckedOutbound& checked, TimePoint now) {
    SendNote note;
    if (checked.to.empty()) return note;
    note.senders = {Sender{checked.from}, Sender{checked.messaging_service_sid}};
    note.to = checked.to;
    note.at = now;
    return note;
}

Result<SendGate::Way> SendGate::admit(const CheckedOutbound& checked, const SendNote& note,
                                      const CompiledTemplate* content,
                                      NeededTemplate& fallback) const {
    if (checked.to.empty()) return Way::as_it_is;
    const OutboundMessage& message = *checked.message;
    LinkedRecipient recipient{note};
    bool wants_no_marketing = false;
    if (opt_outs) {
        for (std::size_t i = 0; i < note.senders.size(); ++i) {
            if (note.senders[i].empty()) continue;
            const auto stopped = state_for(*opt_outs, note, i, recipient);
            if (!stopped) return stopped.error();
            if (auto refusal = opted_out_refusal(*stopped, is_marketing(message, content))) {
                return *refusal;
            }
            wants_no_marketing = wants_no_marketing || stopped->marketing;
        }
    }
    if (checked.to.channel() != Address::Channel::whatsapp) return Way::as_it_is;
    const bool direct_send = templates && templates->options().direct_send;
    if (content != nullptr) {
        if (!needs_window(*content, direct_send)) return Way::as_it_is;
        if (content->needs_approval && !content->is_approved) return unapproved_refusal(*content);
    } else if (!window || !is_free_form(message)) {
        return Way::as_it_is;
    }
    auto state = window ? window_state(*window, note, message.send_at, recipient)
                        : Result<WindowState>(WindowState{});
    if (!state) return state.error();
    if (state->open || (!state->known && !refuse_unknown_window)) return Way::as_it_is;
    if (content != nullptr) return template_window_refusal(*content, state->known);
    if (message.fallback_content_sid.empty()) return window_refusal(state->known);
    const auto instead = fallback.find(templates.get(), message.fallback_content_sid);
    if (!instead) return instead.error();
    if (*instead != nullptr) {
        if ((*instead)->is_marketing && wants_no_marketing) return no_marketing_refusal();
        if (needs_window(**instead, direct_send)) {
            return template_window_refusal(**instead, state->known);
        }
    }
    return Way::fallback;
}

void SendGate::learn(const SendNote& note, const Error& refusal) const {
    if (note.to.empty() || refusal.code() == 0 || !refused_by_twilio(refusal.kind())) return;
    for (const auto& sender : note.senders) {
        if (sender.empty()) continue;
        if (opt_outs) {
            static_cast<void>(opt_outs->learn_error(sender, note.to, refusal.code(), note.at));
        }
        if (window && note.on_whatsapp()) {
            static_cast<void>(window->learn_error(sender, note.to, refusal.code(), note.at));
        }
    }
}

OutboundMessage fallback_of(const OutboundMessage& message) {
    auto fallback = message;
    fallback.body.clear();
    fallback.media_url.clear();
    fallback.persistent_action.clear();
    fallback.content_sid = std::exchange(fallback.fallback_content_sid, {});
    fallback.content_variables = std::exchange(fallback.fallback_variables, {});
    fallback.category = {};  // it was not said of the fallback
    std::erase_if(fallback.extra, [](const auto& entry) {
        return entry.first == "Body" || entry.first == "MediaUrl" ||
               entry.first == "PersistentAction";
    });
    return fallback;
}

}  // namespace twiliowa::detail
