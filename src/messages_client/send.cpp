#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "call/api_error.hpp"
#include "messages_client/impl.hpp"
#include "messages_client/message_codec.hpp"
#include "messages_client/message_templates.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/outbound_form.hpp"
#include "state/store_deadline.hpp"
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

/// `message` checked, or, where the gate wants it so, its fallback, which is put into `fallback`.
/// `note` is filled in for the gate, if there is one. Fails with `needed.missing` where a template
/// has to be looked up first.
Result<CheckedOutbound> admit_outbound(const OutboundMessage& message,
                                       const OutboundDefaults& defaults, TimePoint now,
                                       const SendGate* gate, NeededTemplate& needed,
                                       std::optional<OutboundMessage>& fallback, SendNote& note) {
    auto checked = check_outbound(message, defaults, now);
    if (!checked) return checked;
    if (auto known = has_window_for_fallback(message, gate); !known) return known.error();
    if (gate == nullptr) return checked;
    const auto* cache = gate->templates.get();
    const auto content = needed.find(cache, message.content_sid);
    if (!content) return content.error();
    if (*content != nullptr) {
        if (auto fits = check_template(**content, *checked); !fits) return fits.error();
    }
    if (gate->knows_recipients()) note = note_of(*checked, now);
    const auto way = gate->admit(*checked, note, *content, needed);
    if (!way) return way.error();
    if (*way == SendGate::Way::as_it_is) return checked;
    note.fallback = true;
    fallback = fallback_of(message);
    checked = check_outbound(*fallback, defaults, now);
    if (!checked) return checked;
    const auto instead = needed.find(cache, fallback->content_sid);
    if (!instead) return instead.error();
    if (*instead != nullptr) {
        if (auto fits = check_template(**instead, *checked); !fits) return fits.error();
    }
    return checked;
}

Result<PreparedCall> prepare_send(const ClientCore& core, const OutboundDefaults& defaults,
                                  const OutboundMessage& message, const SendGate* gate,
                                  NeededTemplate& needed, SendNote& note) {
    std::optional<OutboundMessage> fallback;
    const auto checked =
        admit_outbound(message, defaults, core.clock->now(), gate, needed, fallback, note);
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
               NeededTemplate&, SendNote&>
    create_verb{
        {"messages.create", HttpMethod::post, "/2010-04-01/Accounts/{AccountSid}/Messages.json"},
        prepare_send,
        read_created};

/// What is left of a call's time; nothing where what became of the message could not be learnt in
/// it any more.
CallOptions what_is_left(const ClientCore& core, MonotonicTime deadline,
                         const CallOptions& options) {
    auto left = options_until(core, deadline, options);
    const auto enough =
        std::min(core.retry.min_attempt_time, options.timeout.value_or(core.timeout) / 2);
    if (*left.timeout < enough) left.timeout = std::chrono::milliseconds{0};
    return left;
}

}  // namespace
}  // namespace detail

Result<void> MessagesClient::check(const OutboundMessage& message) const {
    std::optional<OutboundMessage> fallback;
    detail::SendNote note;
    detail::NeededTemplate needed;
    const auto admit = [&] {
        return detail::admit_outbound(message, impl_->defaults, impl_->core->clock->now(),
                                      impl_->gate.get(), needed, fallback, note);
    };
    auto checked = admit();
    if (!needed.missing.empty()) {
        needed.looked_up = impl_->gate->templates->get(needed.missing, {});
        checked = admit();
    }
    if (!checked) return checked.error();
    return {};
}

std::optional<MonotonicTime> MessagesClient::take_slot(const OutboundMessage& message) const {
    const auto& core = *impl_->core;
    if (!core.rate_limiter) return std::nullopt;
    const auto from = detail::check_sender(message, impl_->defaults);
    if (!from || from->sender().empty()) return std::nullopt;
    return core.rate_limiter->reserve(from->sender(), core.clock->monotonic_now());
}

void MessagesClient::give_slot_back(const OutboundMessage& message) const noexcept {
    if (!impl_->core->rate_limiter) return;
    try {
        const auto from = detail::check_sender(message, impl_->defaults);
        if (!from || from->sender().empty()) return;
        impl_->core->rate_limiter->release(from->sender());
    } catch (const std::bad_alloc&) {
        return;  // the sender waits a little longer than it would have to
    }
}

Result<detail::PreparedCall> MessagesClient::Impl::prepare_send(const OutboundMessage& message,
                                                                detail::NeededTemplate& needed,
                                                                detail::SendNote& note) const {
    return detail::create_verb.prepare(*core, defaults, message, gate.get(), needed, note);
}

Result<detail::PreparedCall> MessagesClient::Impl::prepare_send_until(
    std::optional<MonotonicTime> deadline, const OutboundMessage& message,
    detail::NeededTemplate& needed, detail::SendNote& note) const {
    if (!deadline) return prepare_send(message, needed, note);
    const detail::StoreDeadline wanted{*detail::options_until(*core, *deadline, {}).timeout};
    return prepare_send(message, needed, note);
}

std::optional<MonotonicTime> MessagesClient::Impl::deadline_for_stores(
    const CallOptions& options) const {
    if (!gate || !gate->knows_recipients()) return std::nullopt;
    return detail::deadline_of(*core, options, core->clock->monotonic_now());
}

Result<Message> MessagesClient::try_send(const OutboundMessage& message,
                                         const CallOptions& options) const {
    const auto& core = *impl_->core;
    detail::NeededTemplate needed;
    detail::SendNote note;
    auto deadline = impl_->deadline_for_stores(options);
    auto prepared = impl_->prepare_send_until(deadline, message, needed, note);
    if (needed.missing.empty()) {
        if (!deadline) return impl_->run_send(std::move(prepared), note, options);
        return impl_->run_send(std::move(prepared), note,
                               detail::what_is_left(core, *deadline, options));
    }
    if (!deadline) deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    const auto begun = impl_->begin_send(options);
    needed.looked_up = impl_->gate->templates->get(needed.missing,
                                                   detail::options_until(core, *deadline, options));
    note = {};
    prepared = impl_->prepare_send_until(deadline, message, needed, note);
    return impl_->run_send(std::move(prepared), note,
                           detail::what_is_left(core, *deadline, options), begun);
}

detail::BegunCall MessagesClient::Impl::begin_send(const CallOptions& options) const {
    const auto credentials = core->credentials();
    return detail::tell_begun(
        *core, detail::create_verb.kind,
        credentials ? std::string_view{credentials->account_sid().str()} : std::string_view{},
        options.correlation_id);
}

Result<Message> MessagesClient::Impl::run_send(Result<detail::PreparedCall> prepared,
                                               const detail::SendNote& note,
                                               const CallOptions& options,
                                               const detail::BegunCall& begun) const {
    auto sent = detail::run_verb(detail::create_verb, *core, *transport, std::move(prepared),
                                 options, begun);
    if (gate) gate->finish(note, sent);
    return sent;
}

void MessagesClient::async_send(const OutboundMessage& message, Callback<Message> done,
                                const CallOptions& options) const {
    const auto& core = *impl_->core;
    detail::NeededTemplate needed;
    detail::SendNote note;
    auto deadline = impl_->deadline_for_stores(options);
    auto prepared = impl_->prepare_send_until(deadline, message, needed, note);
    if (needed.missing.empty()) {
        if (!deadline) {
            return impl_->start_send(std::move(prepared), std::move(note), std::move(done),
                                     options);
        }
        return impl_->start_send(std::move(prepared), std::move(note), std::move(done),
                                 detail::what_is_left(core, *deadline, options));
    }
    if (!deadline) deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    const auto begun = impl_->begin_send(options);
    impl_->gate->templates->async_get(
        needed.missing, [weak = std::weak_ptr<const Impl>(impl_), told = impl_->core, message,
                         done = std::move(done), options, deadline = *deadline,
                         begun](Result<detail::KnownTemplate> known) {
            const auto impl = weak.lock();
            if (!impl) {
                return done(detail::refuse_call(*told, detail::create_verb.kind,
                                                detail::client_destroyed(), options, begun));
            }
            detail::NeededTemplate fetched{.looked_up = std::move(known)};
            detail::SendNote noted;
            auto again = impl->prepare_send_until(deadline, message, fetched, noted);
            impl->start_send(std::move(again), std::move(noted), done,
                             detail::what_is_left(*impl->core, deadline, options), begun);
        });
}

void MessagesClient::Impl::start_send(Result<detail::PreparedCall> prepared, detail::SendNote note,
                                      Callback<Message> done, const CallOptions& options,
                                      const detail::BegunCall& begun) const {
    if (gate) {
        done = [asked = gate, note = std::move(note),
                done = std::move(done)](Result<Message> sent) {
            asked->finish(note, sent);
            done(std::move(sent));
        };
    }
    detail::start_verb(detail::create_verb, core, transport, std::move(prepared), std::move(done),
                       options, begun);
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
        return impl_->refuse(detail::create_verb.kind, named.error(), options);
    }
    return try_send(std::move(message), options);
}
void MessagesClient::async_send_template(OutboundTemplate message, Callback<Message> done,
                                         const CallOptions& options) const {
    if (const auto named = detail::names_template(message); !named) {
        return impl_->refuse_async(detail::create_verb.kind, named.error(), options,
                                   std::move(done));
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
