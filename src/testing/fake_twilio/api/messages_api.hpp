/// @file
/// The Messages resource.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::detail {

HttpResponse serve_fake_create_message(const FakeCall& call);
HttpResponse serve_fake_list_messages(const FakeCall& call);
HttpResponse serve_fake_fetch_message(const FakeCall& call);
HttpResponse serve_fake_update_message(const FakeCall& call);
HttpResponse serve_fake_delete_message(const FakeCall& call);
HttpResponse serve_fake_post_feedback(const FakeCall& call);
HttpResponse serve_fake_list_media(const FakeCall& call);
HttpResponse serve_fake_fetch_media(const FakeCall& call);
HttpResponse serve_fake_delete_media(const FakeCall& call);
HttpResponse serve_fake_media_file(const FakeCall& call);

}  // namespace twiliowa::detail
