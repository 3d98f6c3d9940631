#include <utility>

#include "messages_client/impl.hpp"
#include "messages_client/reconcile_search.hpp"

namespace twiliowa {

Reconciliation MessagesClient::reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                         const ReconcileOptions& where,
                                         const CallOptions& options) const {
    return try_reconcile(message, attempted_at, where, options).value();
}

Result<Reconciliation> MessagesClient::try_reconcile(const OutboundMessage& message,
                                                     TimePoint attempted_at,
                                                     const ReconcileOptions& where,
                                                     const CallOptions& options) const {
    auto search = detail::ReconcileSearch::create(message, impl_->defaults, attempted_at, where);
    if (!search) return impl_->refuse(detail::list_call, search.error());
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    auto page = try_list_page(search->filter(), options);
    while (page && search->look_at(*page) && !page->next.empty()) {
        page = try_next_page(*page, detail::options_until(core, deadline, options));
    }
    if (!page) return page.error();
    return search->conclusion();
}

void MessagesClient::async_reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                     Callback<Reconciliation> done, const ReconcileOptions& where,
                                     const CallOptions& options) const {
    auto created = detail::ReconcileSearch::create(message, impl_->defaults, attempted_at, where);
    if (!created) {
        return impl_->refuse_async(detail::list_call, created.error(), std::move(done));
    }
    const auto search = std::make_shared<detail::ReconcileSearch>(std::move(*created));
    Impl::walk(
        impl_, search->filter(),
        [search](const Page<Message>& page) { return search->look_at(page); },
        [search, done = std::move(done)](const Result<void>& walked) {
            if (!walked) return done(walked.error());
            done(search->conclusion());
        },
        options, detail::deadline_of(*impl_->core, options, impl_->core->clock->monotonic_now()));
}

}  // namespace twiliowa
