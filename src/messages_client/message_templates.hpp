/// @file
/// What is known of the templates that a message names.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

#include "messages_client/outbound_checks.hpp"
#include "templates/template_cache.hpp"

namespace twiliowa::detail {

/// Looked up before a message is checked; nullopt for a template that it does not name.
struct MessageTemplates {
    std::optional<Result<KnownTemplate>> content = {};
    std::optional<Result<KnownTemplate>> fallback = {};

    /// What is known without asking. False if something has to be fetched.
    bool find(const TemplateCache& cache, const OutboundMessage& message);
    /// Fetches what is missing, in this thread.
    void fetch(TemplateCache& cache, const OutboundMessage& message, const CallOptions& options);
};

/// Finds or fetches them, and hands them to `then`, perhaps inside this call.
void async_fetch_templates(const std::shared_ptr<TemplateCache>& cache,
                           const OutboundMessage& message,
                           std::function<void(MessageTemplates)> then);

/// Refuses a template whose variables do not fit, or that goes to nobody of that kind. `checked`
/// names the recipient.
Result<void> check_template(const CompiledTemplate& known, const CheckedOutbound& checked);

}  // namespace twiliowa::detail
