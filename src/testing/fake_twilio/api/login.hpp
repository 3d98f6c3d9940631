/// @file
/// Who makes a request, by its Authorization header.
#pragma once

#include <string_view>

#include <twiliowa/http/http_transport.hpp>

#include "testing/fake_twilio/world/accounts.hpp"

namespace twiliowa::testing::fake {

/// What a request's credentials come to.
struct FakeLogin {
    enum class Verdict {
        missing,    ///< There are none.
        unknown,    ///< They open no account.
        elsewhere,  ///< They open an account, but not the one that is asked for.
        accepted,
    };
    Verdict verdict = Verdict::missing;
    FakeAccount* account = nullptr;  ///< The account that is asked for, if they open it.
    bool with_key = false;           ///< They are an API key's.
};

/// Looks at a request to the account `wanted`. Its owner's token opens an account, too, but none of
/// its owner's API keys does. An empty `wanted` is the account whose credentials they are.
FakeLogin log_in(FakeAccounts& accounts, const HttpRequest& request, std::string_view wanted);

}  // namespace twiliowa::testing::fake
