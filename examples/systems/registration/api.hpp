// What other programs of the club may ask for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

#include "log.hpp"
#include "registrations.hpp"

namespace registration {

/// Every request has the key in its header `x-api-key`. 25 a second are answered, 50 after a pause.
/// Thread-safe.
class Api {
public:
    static constexpr std::size_t max_body_bytes = std::size_t{64} * 1024;

    Api(twiliowa::Secret key, std::string sender, Registrations& registrations,
        twiliowa::Outbox& outbox, const twiliowa::ConversationWindow& window, const Log& log);

    /// POST: writes to a parent by template. 202 when that is on the disk.
    twiliowa::WebhookResponse trigger(const twiliowa::WebhookRequest& request);
    /// POST: a text, within 24 hours of the parent's last message only; otherwise 409.
    twiliowa::WebhookResponse message(const twiliowa::WebhookRequest& request);
    /// GET: what has become of a message, by the id that the others have answered.
    twiliowa::WebhookResponse look_up(const twiliowa::WebhookRequest& request, std::string_view id);

private:
    struct Answer {
        int status = 0;
        nlohmann::json body = {};
        std::string recipient = {};  ///< For the log alone.
        std::optional<int> retry_after = {};
    };
    using Work = std::function<Answer(const std::string& request_id)>;
    twiliowa::WebhookResponse answer(const char* name, const char* method,
                                     const twiliowa::WebhookRequest& request, const Work& work);
    Answer admit(const char* method, const twiliowa::WebhookRequest& request) const;
    static Answer refusal(int status, const twiliowa::Error& error);
    static Answer taken_in(const twiliowa::Result<twiliowa::EnqueuedJob>& job);
    static twiliowa::Result<std::string> key_of(const twiliowa::WebhookRequest& request,
                                                std::string_view path, std::string_view natural);

    twiliowa::Secret key_;
    std::string sender_;
    Registrations& registrations_;
    twiliowa::Outbox& outbox_;
    const twiliowa::ConversationWindow& window_;
    const Log& log_;
    std::shared_ptr<twiliowa::RateLimiter> limiter_;
};

}  // namespace registration
