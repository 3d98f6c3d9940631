/// @file
/// The Messages resource.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_create_message(const FakeCall& call);
HttpResponse serve_list_messages(const FakeCall& call);
HttpResponse serve_fetch_message(const FakeCall& call);
HttpResponse serve_update_message(const FakeCall& call);
HttpResponse serve_delete_message(const FakeCall& call);
HttpResponse serve_post_feedback(const FakeCall& call);
HttpResponse serve_list_media(const FakeCall& call);
HttpResponse serve_fetch_media(const FakeCall& call);
HttpResponse serve_delete_media(const FakeCall& call);
HttpResponse serve_media_file(const FakeCall& call);

}  // namespace twiliowa::testing::fake
