#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <twiliowa/messages_client.hpp>

#include "call/api_client.hpp"
#include "messages_client/outbound_checks.hpp"
#include "messages_client/prepare.hpp"
#include "messages_client/send_gate.hpp"

namespace twiliowa {

struct MessagesClient::Impl : detail::ApiClient {
    detail::OutboundDefaults defaults;
    std::shared_ptr<const detail::SendGate> gate;  ///< Null if there is nothing to ask.

    Error refuse(const detail::CallKind& kind, const Error& error) const {
        return detail::refuse_call(*core, kind, error);
    }
    template <class Done>
    void refuse_async(const detail::CallKind& kind, const Error& error, Done done) const {
        detail::refuse_call_async(*core, transport, kind, error, std::move(done));
    }

    /// Gives `visit` page after page, asynchronously, until it returns false or there are no more;
    /// then runs `done`. Does not keep the client alive. Without a deadline each page has the time
    /// that `options` say.
    static void walk(const std::shared_ptr<const Impl>& impl, const MessageFilter& filter,
                     std::function<bool(Page<Message>&)> visit, Callback<void> done,
                     const CallOptions& options, std::optional<MonotonicTime> deadline);
};

}  // namespace twiliowa
