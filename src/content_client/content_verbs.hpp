/// @file
/// The operations of the Content API.
#pragma once

#include <string>

#include <twiliowa/content/template.hpp>

#include "call/list_walk.hpp"

namespace twiliowa::detail {

/// The refusal of what `check` refuses: it names the first finding and says all of them.
Result<void> admit_definition(const ContentDefinition& definition);

extern const Verb<ContentTemplate, const ContentDefinition&> create_content_verb;
extern const Verb<ContentTemplate, const ContentSid&> fetch_content_verb;
extern const Verb<ContentTemplate, const ContentSid&, const ContentDefinition&> update_content_verb;
extern const Verb<void, const ContentSid&, bool> remove_content_verb;
extern const Verb<ContentApproval, const ContentSid&, const ApprovalRequest&> submit_content_verb;
extern const Verb<ContentApproval, const ContentSid&> fetch_approval_verb;
extern const PageVerb<ContentTemplate> list_contents_verb;
extern const Verb<Page<ContentTemplate>, const ContentFilter&> search_contents_verb;
/// The page of a search that a link leads to.
extern const PageVerb<ContentTemplate> next_contents_verb;

}  // namespace twiliowa::detail
