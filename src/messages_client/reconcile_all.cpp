#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "messages_client/impl.hpp"
#include "messages_client/reconcile_batch.hpp"
#include "templates/template_cache.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Null: not known.
using TemplatesBySid = std::map<std::string, KnownTemplate>;

ReconcileBatch batch_of(std::span<const ReconcileItem> items, const OutboundDefaults& defaults,
                        const ReconcileOptions& where, const TemplatesBySid& templates) {
    return {items, defaults, where, [&templates](const std::string& sid) {
                const auto known = templates.find(sid);
                return known == templates.end() ? nullptr : known->second;
            }};
}

}  // namespace
}  // namespace detail

/// The asynchronous form: first the templates, then one list after another. Does not keep the
/// client alive.
class MessagesClient::Impl::ReconcileRun : public std::enable_shared_from_this<ReconcileRun> {
public:
    ReconcileRun(const std::shared_ptr<const Impl>& impl, std::span<const ReconcileItem> items,
                 ReconcileOptions where, CallOptions options, Callback<Reconciliations> done)
        : impl_(impl),
          items_(items.begin(), items.end()),
          where_(std::move(where)),
          options_(std::move(options)),
          deadline_(detail::deadline_of(*impl->core, options_, impl->core->clock->monotonic_now())),
          done_(std::move(done)) {
        if (impl->template_cache()) wanted_ = detail::templates_of(items_, where_);
    }

    void look_up() {
        while (!wanted_.empty()) {
            const auto impl = impl_.lock();
            if (!impl) return done_(detail::client_destroyed());
            const auto sid = std::move(wanted_.back());
            wanted_.pop_back();
            auto& known = templates_[sid];
            known = impl->template_cache()->find(sid);
            if (known) continue;
            return impl->template_cache()->async_get(
                sid, [self = shared_from_this(),
                      &known](const Result<detail::KnownTemplate>& looked_up) {
                    known = looked_up.value_or(nullptr);
                    self->look_up();
                });
        }
        begin();
    }

private:
    void begin() {
        const auto impl = impl_.lock();
        if (!impl) return done_(detail::client_destroyed());
        batch_.emplace(detail::batch_of(items_, impl->defaults, where_, templates_));
        for (const auto& error : batch_->refusals()) {
            impl->refuse(detail::list_call, error, options_);
        }
        if (batch_->walks().empty()) {
            return detail::complete_known(*impl->core, impl->transport,
                                          [self = shared_from_this()] { self->finish(); });
        }
        walk_next();
    }

    void walk_next() {
        auto& lists = batch_->walks();
        if (next_ == lists.size()) return finish();
        const auto impl = impl_.lock();
        if (!impl) {
            while (next_ < lists.size()) lists[next_++].fail(detail::client_destroyed());
            return finish();
        }
        auto& list = lists[next_++];
        Impl::walk(
            impl, list.filter(),
            [self = shared_from_this(), &list](const Page<Message>& page) {
                return list.look_at(page);
            },
            [self = shared_from_this(), &list](const Result<void>& walked) {
                if (!walked) list.fail(walked.error());
                self->walk_next();
            },
            detail::options_until(*impl->core, deadline_, options_), deadline_);
    }

    void finish() { std::exchange(done_, nullptr)(batch_->conclusions()); }

    std::weak_ptr<const Impl> impl_;
    std::vector<ReconcileItem> items_;
    ReconcileOptions where_;
    CallOptions options_;
    MonotonicTime deadline_;
    Callback<Reconciliations> done_;
    std::vector<std::string> wanted_;  ///< Templates that are not looked up yet.
    detail::TemplatesBySid templates_;
    std::optional<detail::ReconcileBatch> batch_;
    std::size_t next_ = 0;  ///< The list to walk.
};

Reconciliations MessagesClient::reconcile_all(std::span<const ReconcileItem> items,
                                              const ReconcileOptions& where,
                                              const CallOptions& options) const {
    return try_reconcile_all(items, where, options).value();
}

Result<Reconciliations> MessagesClient::try_reconcile_all(std::span<const ReconcileItem> items,
                                                          const ReconcileOptions& where,
                                                          const CallOptions& options) const {
    const auto& core = *impl_->core;
    const auto deadline = detail::deadline_of(core, options, core.clock->monotonic_now());
    if (auto wrong = detail::wrong_search(where))
        return impl_->refuse(detail::list_call, *wrong, options);
    detail::TemplatesBySid templates;
    if (const auto cache = impl_->template_cache()) {
        for (const auto& sid : detail::templates_of(items, where)) {
            templates[sid] =
                cache->get(sid, detail::options_until(core, deadline, options)).value_or(nullptr);
        }
    }
    auto batch = detail::batch_of(items, impl_->defaults, where, templates);
    for (const auto& error : batch.refusals()) {
        impl_->refuse(detail::list_call, error, options);
    }
    for (auto& walk : batch.walks()) Impl::look_through(*this, walk, deadline, options);
    return batch.conclusions();
}

void MessagesClient::async_reconcile_all(std::span<const ReconcileItem> items,
                                         Callback<Reconciliations> done,
                                         const ReconcileOptions& where,
                                         const CallOptions& options) const {
    if (auto wrong = detail::wrong_search(where)) {
        return impl_->refuse_async(detail::list_call, *wrong, options, std::move(done));
    }
    if (dynamic_cast<AsyncHttpTransport*>(impl_->transport.get()) == nullptr) {
        return impl_->refuse_async(detail::list_call, detail::transport_is_not_asynchronous(),
                                   options, std::move(done));
    }
    std::make_shared<Impl::ReconcileRun>(impl_, items, where, options, std::move(done))->look_up();
}

}  // namespace twiliowa
