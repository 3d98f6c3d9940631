#include "messages_client/message_templates.hpp"

#include <utility>

#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

using LookedUp = std::optional<Result<KnownTemplate>>;

/// False if it has to be fetched.
bool find_template(const TemplateCache& cache, const std::string& sid, LookedUp& looked_up) {
    if (sid.empty() || looked_up) return true;
    auto known = cache.find(sid);
    if (!known) return false;
    looked_up.emplace(std::move(known));
    return true;
}

}  // namespace

bool MessageTemplates::find(const TemplateCache& cache, const OutboundMessage& message) {
    const bool found = find_template(cache, message.content_sid, content);
    return find_template(cache, message.fallback_content_sid, fallback) && found;
}

void MessageTemplates::fetch(TemplateCache& cache, const OutboundMessage& message,
                             const CallOptions& options) {
    if (!message.content_sid.empty() && !content) {
        content = cache.get(message.content_sid, options);
    }
    if (!message.fallback_content_sid.empty() && !fallback) {
        fallback = cache.get(message.fallback_content_sid, options);
    }
}

void async_fetch_templates(const std::shared_ptr<TemplateCache>& cache,
                           const OutboundMessage& message,
                           std::function<void(MessageTemplates)> then) {
    auto templates = std::make_shared<MessageTemplates>();
    // The look-up under way keeps what comes after it, which must not keep the cache in turn.
    auto fallback = [weak = std::weak_ptr<TemplateCache>(cache), sid = message.fallback_content_sid,
                     templates, then = std::move(then)]() mutable {
        if (sid.empty()) return then(std::move(*templates));
        const auto alive = weak.lock();
        if (!alive) {
            templates->fallback.emplace(client_destroyed());
            return then(std::move(*templates));
        }
        alive->async_get(sid, [templates, then](Result<KnownTemplate> known) {
            templates->fallback = std::move(known);
            then(std::move(*templates));
        });
    };
    if (message.content_sid.empty()) return fallback();
    cache->async_get(message.content_sid,
                     [templates, fallback](Result<KnownTemplate> known) mutable {
                         templates->content = std::move(known);
                         fallback();
                     });
}

Result<void> check_template(const CompiledTemplate& known, const CheckedOutbound& checked) {
    const auto& message = *checked.message;
    for (const auto* name : {"ContentSid", "ContentVariables"}) {
        if (!names_extra(message, name)) continue;
        return Error::invalid_request(name,
                                      "is given in extra, beside a template that is checked before "
                                      "it is sent: it would go unchecked",
                                      "give it in content_sid or content_variables");
    }
    const bool on_whatsapp =
        !checked.to.empty() && checked.to.channel() == Address::Channel::whatsapp;
    if (on_whatsapp && !known.is_approved) {
        if (auto refusal = standing_refusal(known)) return std::move(*refusal);
    }
    if (on_whatsapp && known.is_authentication && checked.to.phone_number().empty()) {
        return user_id_for_authentication();
    }
    return check_fit(known, message.content_variables, message.whitespace,
                     on_whatsapp && known.is_approved);
}

}  // namespace twiliowa::detail
