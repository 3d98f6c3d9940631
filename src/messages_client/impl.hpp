#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <twiliowa/messages_client.hpp>

#include "call/api_client.hpp"
#include "messages_client/message_templates.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/prepare.hpp"
#include "messages_client/send_gate.hpp"

namespace twiliowa {

namespace detail {
class ReconcileWalk;
}

struct MessagesClient::Impl : detail::ApiClient {
    detail::OutboundDefaults defaults;
    std::shared_ptr<const detail::SendGate> gate;  ///< Null if there is nothing to ask.

    Error refuse(const detail::CallKind& kind, const Error& error,
                 const CallOptions& options) const {
        return detail::refuse_call(*core, kind, error, options);
    }
    template <class Done>
    void refuse_async(const detail::CallKind& kind, const Error& error, const CallOptions& options,
                      Done done) const {
        detail::refuse_call_async(*core, transport, kind, error, options, std::move(done));
    }

    /// Null if nothing is known of templates.
    std::shared_ptr<detail::TemplateCache> template_cache() const {
        return gate ? gate->templates : nullptr;
    }

    /// The call that creates `message`. Where `needed.missing` says so, it has to be prepared again
    /// with what a look-up of that template came to.
    Result<detail::PreparedCall> prepare_send(const OutboundMessage& message,
                                              detail::NeededTemplate& needed,
                                              detail::SendNote& note) const;
    /// The same, with stores that are asked only for as long as the call has time.
    /// @param deadline  nullopt: no store is asked
    Result<detail::PreparedCall> prepare_send_until(std::optional<MonotonicTime> deadline,
                                                    const OutboundMessage& message,
                                                    detail::NeededTemplate& needed,
                                                    detail::SendNote& note) const;
    /// The call's, if a store is asked before it; where nothing is waited for, it need not be
    /// known.
    std::optional<MonotonicTime> deadline_for_stores(const CallOptions& options) const;
    Result<Message> run_send(Result<detail::PreparedCall> prepared, const detail::SendNote& note,
                             const CallOptions& options, const detail::BegunCall& begun = {}) const;
    void start_send(Result<detail::PreparedCall> prepared, detail::SendNote note,
                    Callback<Message> done, const CallOptions& options,
                    const detail::BegunCall& begun = {}) const;
    /// A send begins that needs a template which is not known.
    detail::BegunCall begin_send(const CallOptions& options) const;

    static void start_reconcile(const std::shared_ptr<const Impl>& impl,
                                const OutboundMessage& message, TimePoint attempted_at,
                                const ReconcileOptions& where, Callback<Reconciliation> done,
                                const CallOptions& options, MonotonicTime deadline);

    /// Walks as far as there may be something, in this thread.
    static void look_through(const MessagesClient& client, detail::ReconcileWalk& walk,
                             MonotonicTime deadline, const CallOptions& options);
    class ReconcileRun;

    /// Gives `visit` page after page, asynchronously, until it returns false or there are no more;
    /// then runs `done`. Does not keep the client alive. Without a deadline each page has the time
    /// that `options` say.
    static void walk(const std::shared_ptr<const Impl>& impl, const MessageFilter& filter,
                     std::function<bool(Page<Message>&)> visit, Callback<void> done,
                     const CallOptions& options, std::optional<MonotonicTime> deadline);
};

}  // namespace twiliowa
