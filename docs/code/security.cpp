// What docs/security.md shows.
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

std::string read_secret_file() {
    return std::string(wa::testing::FakeTwilio::demo_auth_token);
}

// [provider]
wa::Result<wa::Credentials> current_credentials() {  // asked once per call, from any thread
    return wa::Credentials::try_auth_token("AC00000000000000000000000000000001",
                                           read_secret_file());
}
// [provider]

}  // namespace

int main() {
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{current_credentials, fake->client_options()};
    const auto message = client.send_text({.to = "+447700900123", .body = "Hello"});

    // [rotation]
    const std::vector<wa::Secret> tokens = {wa::Secret{"the token of today"},
                                            wa::Secret{"the token after the change"}};
    const wa::RequestValidator validator{tokens};
    // [rotation]

    // [accounts]
    const wa::RequestValidator by_account{[](const wa::KeyQuery& query) {
        std::vector<wa::SigningKey> keys;
        if (query.account_sid == "AC00000000000000000000000000000001") {
            keys.push_back({.secret = wa::Secret{read_secret_file()}});
        }
        return keys;  // none: no_key
    }};
    // [accounts]

    const auto store = std::make_shared<wa::MemoryStore>();
    // [tenants]
    const auto window_of = [store](std::string_view account_sid) {
        return std::make_shared<wa::ConversationWindow>(
            store, wa::ConversationWindowOptions{.scope = std::string(account_sid)});
    };
    const auto opt_outs_of = [store](std::string_view account_sid) {
        return std::make_shared<wa::OptOuts>(store,
                                             wa::OptOutOptions{.scope = std::string(account_sid)});
    };
    wa::WebhookOptions hook;
    hook.window = window_of;  // asked with the AccountSid of each verified event
    hook.opt_outs = opt_outs_of;

    wa::ClientOptions tenant;  // of the MessagesClient of one account
    tenant.window = window_of("AC00000000000000000000000000000001");
    tenant.opt_outs = opt_outs_of("AC00000000000000000000000000000001");
    // [tenants]
    if (!hook.window.of("AC00000000000000000000000000000001") || !tenant.opt_outs) return 1;

    // [erase]
    client.redact(message.sid);  // the text at Twilio; the record stays
    client.remove(message.sid);  // the record
    // [erase]
    const wa::SignedRequest request{.url = "https://bot.test/", .body = "Body=hello"};
    auto signed_request = request;
    const auto signature = wa::RequestValidator{tokens.back()}.sign(request);
    signed_request.signature = signature;
    if (!validator.validate(signed_request) || by_account.validate(signed_request)) return 1;
    return fake->messages().empty() ? 0 : 1;
}
