/// @file
/// The account's WhatsApp senders: list and fetch.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_list_senders(const FakeCall& call);
HttpResponse serve_fetch_sender(const FakeCall& call);

}  // namespace twiliowa::testing::fake
