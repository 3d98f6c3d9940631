/// @file
/// Where webhooks go, and those on their way.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/parameters.hpp"
#include "testing/fake_twilio/world/webhook_url.hpp"

namespace twiliowa::testing::fake {

/// Where webhooks go, by owner: a sender's address, a messaging service's SID or an account's.
struct FakeHooks {
    std::map<std::string, std::string, std::less<>> inbound = {};
    std::map<std::string, FakeWebhookOptions, std::less<>> inbound_options = {};
    /// Also by the SID of an application.
    std::map<std::string, std::string, std::less<>> status = {};
};

/// A webhook to be delivered, until that has succeeded or failed for good.
struct FakeWebhookJob {
    std::string kind = {};
    FakeWebhookUrl url = {};
    std::string method = "POST";
    std::vector<FakeParameters::Entry> parameters = {};
    bool bare = false;  ///< The parameters are only known, not sent.
    std::string account_sid = {};
    std::string message_sid = {};
    std::string idempotency_token = {};
    int attempt = 0;
    int redirects = 0;
    std::string authorization = {};  ///< The answer to a challenge, for the next try.
    std::string fallback_url = {};
    std::string fallback_method = "POST";
};

/// After so many redirects a webhook goes no further.
inline constexpr int max_redirects = 10;

}  // namespace twiliowa::testing::fake
