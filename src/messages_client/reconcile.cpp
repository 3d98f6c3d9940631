#include <utility>

#include "messages_client/impl.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/reconcile_search.hpp"
#include "templates/template_cache.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// `where` with the text that Twilio makes of the message's template, if that is known and nobody
/// said it. WhatsApp's own words around a code are not known.
ReconcileOptions with_expected_text(const OutboundMessage& message, ReconcileOptions where,
                                    const KnownTemplate& known) {
    if (!where.expected_text.empty() || known == nullptr || names_extra(message, "ContentSid") ||
        names_extra(message, "ContentVariables")) {
        return where;
    }
    if (!known->is_authentication) {
        where.expected_text = render(known->content.definition, message.content_variables).body;
    }
    return where;
}

}  // namespace
}  // namespace detail

Reconciliation MessagesClient::reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                         const ReconcileOptions& where,
                                         const CallOptions& options) const {
    return try_reconcile(message, attempted_at, where, options).value();
}

Result<Reconciliation> MessagesClient::try_reconcile(const OutboundMessage& message,
                                                     TimePoint attempted_at,
                                                     const ReconcileOptions& where,
                                                     const CallOptions& options) const {
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    const auto cache = impl_->template_cache();
    detail::KnownTemplate known;
    if (cache && !message.content_sid.empty()) {
        known = cache->get(message.content_sid, options).value_or(nullptr);
    }
    auto search = detail::ReconcileSearch::create(
        message, impl_->defaults, attempted_at, detail::with_expected_text(message, where, known));
    if (!search) return impl_->refuse(detail::list_call, search.error());
    auto page = try_list_page(search->filter(), detail::options_until(core, deadline, options));
    while (page && search->look_at(*page) && !page->next.empty()) {
        page = try_next_page(*page, detail::options_until(core, deadline, options));
    }
    if (!page) return page.error();
    return search->conclusion();
}

void MessagesClient::async_reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                     Callback<Reconciliation> done, const ReconcileOptions& where,
                                     const CallOptions& options) const {
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    const auto cache = impl_->template_cache();
    if (!cache || message.content_sid.empty()) {
        return Impl::start_reconcile(impl_, message, attempted_at, where, std::move(done), options,
                                     deadline);
    }
    cache->async_get(message.content_sid, [weak = std::weak_ptr<const Impl>(impl_), message,
                                           attempted_at, where, options, deadline,
                                           done = std::move(done)](
                                              const Result<detail::KnownTemplate>& known) {
        const auto impl = weak.lock();
        if (!impl) return done(detail::client_destroyed());
        Impl::start_reconcile(impl, message, attempted_at,
                              detail::with_expected_text(message, where, known.value_or(nullptr)),
                              done, options, deadline);
    });
}

void MessagesClient::Impl::start_reconcile(const std::shared_ptr<const Impl>& impl,
                                           const OutboundMessage& message, TimePoint attempted_at,
                                           const ReconcileOptions& where,
                                           Callback<Reconciliation> done,
                                           const CallOptions& options, MonotonicTime deadline) {
    auto created = detail::ReconcileSearch::create(message, impl->defaults, attempted_at, where);
    if (!created) {
        return impl->refuse_async(detail::list_call, created.error(), std::move(done));
    }
    const auto search = std::make_shared<detail::ReconcileSearch>(std::move(*created));
    walk(
        impl, search->filter(),
        [search](const Page<Message>& page) { return search->look_at(page); },
        [search, done = std::move(done)](const Result<void>& walked) {
            if (!walked) return done(walked.error());
            done(search->conclusion());
        },
        options, deadline);
}

}  // namespace twiliowa
