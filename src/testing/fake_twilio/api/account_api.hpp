/// @file
/// The account itself, by which programs find out whether their credentials are good.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_fetch_account(const FakeCall& call);
HttpResponse serve_fetch_balance(const FakeCall& call);

}  // namespace twiliowa::testing::fake
