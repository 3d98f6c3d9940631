/// @file
/// What is wrong with asking WhatsApp for the approval of a content template.
#pragma once

#include <string_view>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/content/finding.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/outbound.hpp>

namespace twiliowa {

/// Checks the name and the category under which a template is submitted. The paths of its findings
/// are `name` and `category`. A name is of a to z, 0 to 9 and `_`, at most 512 of them; one that
/// was rejected or deleted is not usable again for 30 days, which only Twilio knows.
TWILIOWA_EXPORT ContentFindings check_approval_request(std::string_view name,
                                                       const TemplateCategory& category);
/// The same, and whether the category fits what is submitted. `definition` itself is checked by
/// `definition.check(ContentUse::whatsapp)`.
TWILIOWA_EXPORT ContentFindings check_approval_request(std::string_view name,
                                                       const TemplateCategory& category,
                                                       const ContentDefinition& definition);

}  // namespace twiliowa
