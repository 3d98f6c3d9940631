// What docs/accounts.md shows.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/outbox/accounts.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

wa::Credentials from_secret_store(const std::string& secret) {
    // [json]
    auto credentials = wa::Credentials::from_json(secret);
    // or under names of one's own
    credentials = wa::Credentials::from_json(
        secret, {.account_sid = "twilio_account_sid", .auth_token = "twilio_auth_token"});
    // [json]
    return credentials;
}

wa::ClientOptions from_env_file(const std::string& path) {
    // [env]
    wa::load_env_file(path);  // first thing in main, before there are threads
    const auto options = wa::ClientOptions::from_environment({.sender = "TWILIO_PHONE_NUMBER"});
    // [env]
    return options;
}

void set_up_several(std::shared_ptr<wa::OutboxStorage> storage, const wa::ClientOptions& options,
                    const wa::Credentials& main_site, const wa::Credentials& second_site) {
    // [several]
    wa::Accounts accounts{options};
    accounts.add(main_site, "+14155238886");
    accounts.add(second_site, "+14155238887");
    wa::Outbox outbox{std::move(storage), {.client = [accounts](std::string_view account_sid) {
                          return accounts.outbox_account(account_sid);
                      }}};
    const wa::RequestValidator validator{
        [accounts](const wa::KeyQuery& query) { return accounts.signing_keys(query); }};
    // [several]
}

void print_state(const wa::Credentials& credentials, const wa::ClientOptions& options) {
    // [state]
    const wa::AccountClient accounts{credentials, options};
    const auto account = accounts.fetch();
    const auto balance = accounts.balance();
    std::printf("%s is %s, %s %s left\n", account.friendly_name.c_str(),
                account.status.str().c_str(), balance.balance.c_str(), balance.currency.c_str());

    const wa::SendersClient senders{credentials, options};
    for (const auto& sender : senders.list()) {
        std::printf("%s: %s, quality %s, limit %s\n", sender.sender_id.c_str(),
                    sender.status.str().c_str(), sender.quality_rating.c_str(),
                    sender.messaging_limit.c_str());
        for (const auto& reason : sender.offline_reasons) {
            std::printf("   %s %s\n", reason.code.c_str(), reason.message.c_str());
        }
    }
    // [state]
}

/// Whether a program could go to work.
bool is_in_order(const wa::MessagesClient& client, const std::string& callback_url) {
    // [check]
    bool in_order = true;
    for (const auto& finding : wa::check_setup(client, callback_url)) {
        if (finding.level == wa::SetupLevel::ok) continue;
        std::printf("%s: %s: %s; %s\n", std::string(to_string(finding.level)).c_str(),
                    finding.subject.c_str(), finding.what.c_str(), finding.way_out.c_str());
        in_order = in_order && finding.level != wa::SetupLevel::wrong;
    }
    // [check]
    return in_order;
}

}  // namespace

int main() {
    const auto fake = wa::testing::FakeTwilio::with_account();
    const auto secret = std::string{"{\"twilio_account_sid\": \""} +
                        std::string{wa::testing::FakeTwilio::demo_account_sid} +
                        "\", \"twilio_auth_token\": \"token\"}";
    const auto path = std::filesystem::temp_directory_path() / "twiliowa_docs_accounts.env";
    std::ofstream{path} << "# of development\nTWILIO_PHONE_NUMBER=\"+14155238886\"\n";
    unsetenv("TWILIO_PHONE_NUMBER");
    const auto options = from_env_file(path.string());
    std::filesystem::remove(path);
    static_cast<void>(&set_up_several);
    print_state(fake->credentials(), fake->client_options());
    const std::string url = "https://bot.example.com/whatsapp";
    fake->set_webhook(wa::testing::FakeTwilio::demo_sender, url);
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    const bool good =
        is_in_order(client, url) && !is_in_order(client, "https://localhost/whatsapp") &&
        from_secret_store(secret).password().reveal() == "token" && options.from == "+14155238886";
    return good ? 0 : 1;
}
