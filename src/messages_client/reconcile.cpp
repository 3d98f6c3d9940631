#include <utility>

#include "messages_client/impl.hpp"
#include "messages_client/reconcile_batch.hpp"
#include "messages_client/reconcile_search.hpp"
#include "templates/template_cache.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// The walk for one message: it is number 0 there.
Result<ReconcileWalk> walk_for(const OutboundMessage& message, const OutboundDefaults& defaults,
                               TimePoint attempted_at, const ReconcileOptions& where) {
    auto search = ReconcileSearch::create(message, defaults, attempted_at, where);
    if (!search) return search.error();
    ReconcileWalk walk(search->filter(), other_messages(where.known));
    walk.add(std::move(*search));
    return walk;
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
    auto walk = detail::walk_for(message, impl_->defaults, attempted_at,
                                 detail::with_expected_text(message, where, known));
    if (!walk) return impl_->refuse(detail::list_call, walk.error(), options);
    Impl::look_through(*this, *walk, deadline, options);
    return walk->conclusion(0);
}

void MessagesClient::Impl::look_through(const MessagesClient& client, detail::ReconcileWalk& walk,
                                        MonotonicTime deadline, const CallOptions& options) {
    const auto& core = *client.impl_->core;
    auto page = client.try_list_page(walk.filter(), detail::options_until(core, deadline, options));
    while (page && walk.look_at(*page) && !page->next.empty()) {
        page = client.try_next_page(*page, detail::options_until(core, deadline, options));
    }
    if (!page) walk.fail(page.error());
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
    auto created = detail::walk_for(message, impl->defaults, attempted_at, where);
    if (!created) {
        return impl->refuse_async(detail::list_call, created.error(), options, std::move(done));
    }
    const auto search = std::make_shared<detail::ReconcileWalk>(std::move(*created));
    walk(
        impl, search->filter(),
        [search](const Page<Message>& page) { return search->look_at(page); },
        [search, done = std::move(done)](const Result<void>& walked) {
            if (!walked) search->fail(walked.error());
            done(search->conclusion(0));
        },
        options, deadline);
}

}  // namespace twiliowa
