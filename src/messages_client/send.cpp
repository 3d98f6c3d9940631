#include <utility>

#include "call/api_error.hpp"
#include "messages_client/impl.hpp"
#include "messages_client/message_codec.hpp"
#include "messages_client/message_templates.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/outbound_form.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {
namespace detail {
namespace {

/// As an OutboundMessage it would merely be one without content.
Result<void> names_template(const OutboundTemplate& message) {
    if (!message.content_sid.empty()) return {};
    return Error::invalid_request("ContentSid", "is empty",
                                  "give the template's SID: HX and 32 hex digits", 21655);
}

/// Without a window nobody would know when the fallback has to go: it would never be sent.
Result<void> has_window_for_fallback(const OutboundMessage& message, const SendGate* gate) {
    if (message.fallback_content_sid.empty() || (gate != nullptr && gate->window)) return {};
    return Error::invalid_request("fallback_content_sid",
                                  "is given to a client that knows no 24-hour window",
                                  "give the client a ClientOptions::window, or leave it out");
}

/// Whether it is refused whatever its template is, so that nothing has to be looked up.
bool is_refused_anyway(const OutboundMessage& message, const OutboundDefaults& defaults,
                       const ClientCore& core) {
    return !check_outbound(message, defaults, core.clock->now());
}

/// A template that was looked up, if it was; or why it could not be.
Result<const CompiledTemplate*> known_template(
    const std::optional<Result<KnownTemplate>>& looked_up) {
    if (!looked_up) return nullptr;
    if (!*looked_up) return looked_up->error();
    return (**looked_up).get();
}

/// `message` checked, or, where the gate wants it so, its fallback, which is put into `fallback`.
/// `note` is filled in for the gate, if there is one.
Result<CheckedOutbound> admit_outbound(const OutboundMessage& message,
                                       const OutboundDefaults& defaults, TimePoint now,
                                       const SendGate* gate, const MessageTemplates& templates,
                                       std::optional<OutboundMessage>& fallback, SendNote& note) {
    auto checked = check_outbound(message, defaults, now);
    if (!checked) return checked;
    if (auto known = has_window_for_fallback(message, gate); !known) return known.error();
    if (gate == nullptr) return checked;
    const auto content = known_template(templates.content);
    if (!content) return content.error();
    if (*content != nullptr) {
        if (auto fits = check_template(**content, *checked); !fits) return fits.error();
    }
    const auto instead = known_template(templates.fallback);
    if (gate->knows_recipients()) note = note_of(*checked, now);
    const auto way = gate->admit(*checked, note, *content, instead ? *instead : nullptr);
    if (!way) return way.error();
    if (*way == SendGate::Way::as_it_is) return checked;
    if (!instead) return instead.error();
    note.fallback = true;
    fallback = fallback_of(message);
    checked = check_outbound(*fallback, defaults, now);
    if (checked && *instead != nullptr) {
        if (auto fits = check_template(**instead, *checked); !fits) return fits.error();
    }
    return checked;
}

Result<PreparedCall> prepare_send(const ClientCore& core, const OutboundDefaults& defaults,
                                  const OutboundMessage& message, const SendGate* gate,
                                  const MessageTemplates& templates, SendNote& note) {
    std::optional<OutboundMessage> fallback;
    const auto checked =
        admit_outbound(message, defaults, core.clock->now(), gate, templates, fallback, note);
    if (!checked) return checked.error();
    auto prepared = prepare(core, Repeat::duplicates, ".json");
    if (!prepared) return prepared;
    prepared->operation.body = encode_outbound(*checked);
    if (core.rate_limiter) prepared->operation.rate_key = checked->sender();
    return prepared;
}

/// The answer to a create: whoever reads a SID knows that the message exists, whatever else is
/// missing or wrong.
std::optional<Error> read_created(HttpResponse& answer, Message& message) {
    decode_message(answer.body, message);
    if (message.sid.empty()) message.sid = find_message_sid(answer.body);
    if (!message.sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer has no message SID");
}

constexpr Verb<Message, const OutboundDefaults&, const OutboundMessage&, const SendGate*,
               const MessageTemplates&, SendNote&>
    create_verb{
        {"messages.create", HttpMethod::post, "/2010-04-01/Accounts/{AccountSid}/Messages.json"},
        prepare_send,
        read_created};

}  // namespace
}  // namespace detail

Result<void> MessagesClient::check(const OutboundMessage& message) const {
    std::optional<OutboundMessage> fallback;
    detail::SendNote note;
    detail::MessageTemplates templates;
    if (!impl_->find_templates(message, templates) &&
        !detail::is_refused_anyway(message, impl_->defaults, *impl_->core)) {
        templates.fetch(*impl_->gate->templates, message, {});
    }
    const auto checked = detail::admit_outbound(message, impl_->defaults, impl_->core->clock->now(),
                                                impl_->gate.get(), templates, fallback, note);
    if (!checked) return checked.error();
    return {};
}

bool MessagesClient::Impl::find_templates(const OutboundMessage& message,
                                          detail::MessageTemplates& templates) const {
    return !gate || !gate->templates || templates.find(*gate->templates, message);
}

Result<Message> MessagesClient::Impl::run_send(const OutboundMessage& message,
                                               const detail::MessageTemplates& templates,
                                               const CallOptions& options) const {
    detail::SendNote note;
    auto sent = run(detail::create_verb, options, defaults, message, gate.get(), templates, note);
    if (gate) gate->finish(note, sent);
    return sent;
}

Result<Message> MessagesClient::try_send(const OutboundMessage& message,
                                         const CallOptions& options) const {
    detail::MessageTemplates templates;
    if (impl_->find_templates(message, templates) ||
        detail::is_refused_anyway(message, impl_->defaults, *impl_->core)) {
        return impl_->run_send(message, templates, options);
    }
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    templates.fetch(*impl_->gate->templates, message,
                    detail::options_until(core, deadline, options));
    return impl_->run_send(message, templates, detail::options_until(core, deadline, options));
}

void MessagesClient::Impl::start_send(const OutboundMessage& message,
                                      const detail::MessageTemplates& templates,
                                      Callback<Message> done, const CallOptions& options) const {
    detail::SendNote note;
    // Prepared first: the completion has to know what was noted then.
    auto prepared =
        detail::create_verb.prepare(*core, defaults, message, gate.get(), templates, note);
    if (gate) {
        done = [asked = gate, note = std::move(note),
                done = std::move(done)](Result<Message> sent) {
            asked->finish(note, sent);
            done(std::move(sent));
        };
    }
    detail::start_verb(detail::create_verb, core, transport, std::move(prepared), std::move(done),
                       options);
}

void MessagesClient::async_send(const OutboundMessage& message, Callback<Message> done,
                                const CallOptions& options) const {
    detail::MessageTemplates templates;
    if (impl_->find_templates(message, templates) ||
        detail::is_refused_anyway(message, impl_->defaults, *impl_->core)) {
        return impl_->start_send(message, templates, std::move(done), options);
    }
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    detail::async_fetch_templates(
        impl_->gate->templates, message,
        [weak = std::weak_ptr<const Impl>(impl_), message, done = std::move(done), options,
         deadline](const detail::MessageTemplates& fetched) {
            const auto impl = weak.lock();
            if (!impl) return done(detail::client_destroyed());
            impl->start_send(message, fetched, done,
                             detail::options_until(*impl->core, deadline, options));
        });
}

Message MessagesClient::send(const OutboundMessage& message, const CallOptions& options) const {
    return try_send(message, options).value();
}

Message MessagesClient::send_template(OutboundTemplate message, const CallOptions& options) const {
    return try_send_template(std::move(message), options).value();
}
Result<Message> MessagesClient::try_send_template(OutboundTemplate message,
                                                  const CallOptions& options) const {
    if (const auto named = detail::names_template(message); !named) {
        return impl_->refuse(detail::create_verb.kind, named.error());
    }
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_template(OutboundTemplate message, Callback<Message> done,
                                         const CallOptions& options) const {
    if (const auto named = detail::names_template(message); !named) {
        return impl_->refuse_async(detail::create_verb.kind, named.error(), std::move(done));
    }
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_text(OutboundText message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_text(OutboundText message,
                                              const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_text(OutboundText message, Callback<Message> done,
                                     const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_media(OutboundMedia message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_media(OutboundMedia message,
                                               const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_media(OutboundMedia message, Callback<Message> done,
                                      const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

Message MessagesClient::send_location(OutboundLocation message, const CallOptions& options) const {
    return send(std::move(message), options);
}
Result<Message> MessagesClient::try_send_location(OutboundLocation message,
                                                  const CallOptions& options) const {
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_location(OutboundLocation message, Callback<Message> done,
                                         const CallOptions& options) const {
    async_send(std::move(message), std::move(done), options);
}

}  // namespace twiliowa
