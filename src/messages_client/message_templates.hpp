/// @file
/// What is known of the template that a message is made of.
#pragma once

#include <optional>
#include <string>

#include <twiliowa/types/result.hpp>

#include "messages_client/outbound_checks.hpp"
#include "templates/template_cache.hpp"

namespace twiliowa::detail {

/// What preparing a message comes to know of the one template that it needs: its own, or its
/// fallback's once that is what goes. No message that passes the checks needs both.
///
/// Preparing asks nobody: it stops with what is `missing`. Whoever prepares has that looked up,
/// with their thread or with the transport, and prepares again.
struct NeededTemplate {
    std::optional<Result<KnownTemplate>> looked_up = {};
    std::string missing = {};  ///< The SID; empty if nothing was.

    /// What is known of the template; null without a cache or a SID.
    Result<const CompiledTemplate*> find(const TemplateCache* cache, const std::string& sid);
};

/// Refuses a template whose variables do not fit, or that goes to nobody of that kind. `checked`
/// names the recipient.
Result<void> check_template(const CompiledTemplate& known, const CheckedOutbound& checked);

}  // namespace twiliowa::detail
