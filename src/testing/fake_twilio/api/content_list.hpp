/// @file
/// The Content API's lists: both versions', with approvals or without, and the legacy one.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_list_contents(const FakeCall& call);
HttpResponse serve_list_approvals(const FakeCall& call);
/// Templates that WhatsApp was asked to approve, by the name given there.
HttpResponse serve_list_legacy(const FakeCall& call);
/// The same as the first two, filtered and sorted.
HttpResponse serve_search_contents(const FakeCall& call);
HttpResponse serve_search_approvals(const FakeCall& call);

}  // namespace twiliowa::testing::fake
