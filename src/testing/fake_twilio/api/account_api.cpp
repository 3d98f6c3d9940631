#include "testing/fake_twilio/api/account_api.hpp"

#include "testing/fake_twilio/api/json.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_fetch_account(const FakeCall& call) {
    return json_response(200, account_json(call.account));
}

/// Of a subaccount there is none: its owner pays.
HttpResponse serve_fetch_balance(const FakeCall& call) {
    if (!call.account.owner.empty()) return not_found("balance");
    return json_response(200, balance_json(call.account));
}

}  // namespace twiliowa::testing::fake
