/// @file
/// The Content API: templates and their approval.
#pragma once

#include <string_view>

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_create_content(const FakeCall& call);
HttpResponse serve_fetch_content(const FakeCall& call);
HttpResponse serve_update_content(const FakeCall& call);
HttpResponse serve_delete_content(const FakeCall& call);
HttpResponse serve_fetch_approval(const FakeCall& call);
HttpResponse serve_request_approval(const FakeCall& call);

/// An approval's next step, planned before: received -> pending -> approved or rejected.
void step_approval(FakeWorld& world, std::string_view content_sid, std::string_view expected,
                   const FakeMoment& moment);

/// The steps of approvals that are due at `moment`, each at its own time: for who looks at one
/// before events are run, as a blocking wait does.
void step_due_approvals(FakeWorld& world, const FakeMoment& moment);

}  // namespace twiliowa::testing::fake
