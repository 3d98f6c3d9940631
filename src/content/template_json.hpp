/// @file
/// Reading Twilio's records of templates and approvals.
#pragma once

#include <optional>

#include <twiliowa/content/template.hpp>
#include <twiliowa/types/page.hpp>

#include "content/json.hpp"

namespace twiliowa::detail {

/// A template as an item of a list or an answer of its own; its SID is empty if it is none.
ContentTemplate read_content_template(ContentJson json);
/// Nullopt if there is none.
std::optional<ContentApproval> read_approval(const ContentJson& json);
/// Nullopt if it is no list of templates.
std::optional<Page<ContentTemplate>> read_content_page(ContentJson json);

/// The record as lists show it, with its approval.
ContentJson write_content_template(const ContentTemplate& content);

}  // namespace twiliowa::detail
