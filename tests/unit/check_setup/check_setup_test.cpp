#include <twiliowa/check_setup.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace check_setup_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

using Findings = std::vector<SetupFinding>;

const std::string bot_url = "https://bot.example.com/whatsapp";
constexpr auto ok = SetupLevel::ok;
constexpr auto wrong = SetupLevel::wrong;

/// No number of the customer or the sender, no secret, and a way out of all that is not good.
void check_texts(const Findings& findings) {
    for (const auto& finding : findings) {
        CAPTURE(finding.what);
        for (const auto* text : {&finding.what, &finding.way_out}) {
            CHECK(text->find("1415") == std::string::npos);
            CHECK(text->find("canary") == std::string::npos);
            CHECK(text->find(FakeTwilio::demo_auth_token) == std::string::npos);
        }
        CHECK(!finding.subject.empty());
        CHECK(!finding.what.empty());
        CHECK(finding.way_out.empty() == (finding.level == ok));
    }
}

struct SetUp {
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
    ClientOptions options = fake->client_options();
    std::optional<Credentials> credentials = {};

    SetUp() { options.retry.max_attempts = 1; }

    MessagesClient client() const {
        return MessagesClient{credentials.value_or(fake->credentials()), options};
    }
    /// As a blocking call gives them, and an asynchronous one as well.
    Findings check(const std::string& url = {}) const {
        const auto one = client();
        auto findings = check_setup(one, url);
        check_texts(findings);
        Findings others;
        async_check_setup(one, url, [&](Result<Findings> got) { others = got.value(); });
        fake->run_until_idle();
        REQUIRE(others.size() == findings.size());
        for (std::size_t i = 0; i < findings.size(); ++i) {
            CHECK(others[i].level == findings[i].level);
            CHECK(others[i].subject == findings[i].subject);
        }
        return findings;
    }
};

/// The findings about one thing, a line each: `wrong: the account is suspended`.
std::string about(const std::string& subject, const Findings& findings) {
    std::string lines;
    for (const auto& finding : findings) {
        if (finding.subject != subject) continue;
        lines.append(to_string(finding.level)).append(": ").append(finding.what).append("\n");
    }
    return lines;
}

ChannelSender online_sender() {
    ChannelSender sender;
    sender.sender_id = FakeTwilio::demo_sender;
    sender.status = ChannelSenderStatus{ChannelSenderStatus::online};
    sender.quality_rating = "HIGH";
    sender.messaging_limit = "1K Customers/24hr";
    sender.callback_url = bot_url;
    return sender;
}

Findings with_sender(const ChannelSender& sender, const std::string& url = {}) {
    const SetUp set;
    set.fake->set_sender(FakeTwilio::demo_account_sid, sender);
    return set.check(url);
}

}  // namespace

TEST_CASE("a setup in order is found to be ok, each thing once") {
    const auto findings = with_sender(online_sender(), bot_url);
    std::string subjects;
    for (const auto& finding : findings) {
        CHECK(finding.level == ok);
        subjects += finding.subject + " ";
    }
    CHECK(subjects == "credentials account balance sender quality callback_url callback_url ");
    CHECK(about("balance", findings) == "ok: 100.00 USD are left on the account\n");
    CHECK(about("sender", findings) ==
          "ok: the sender is ONLINE, its messaging limit 1K Customers/24hr\n");
}

TEST_CASE("without a callback URL none is looked at") {
    CHECK(about("callback_url", with_sender(online_sender())).empty());
}

TEST_CASE("refused credentials are the one finding, and nothing more is asked") {
    SetUp set;
    set.credentials = Credentials::auth_token(FakeTwilio::demo_account_sid, "canary");
    const auto findings = set.check(bot_url);
    REQUIRE(findings.size() == 2);
    CHECK(about("credentials", findings) == containing("wrong: Twilio refuses the credentials"));
    CHECK(findings.front().way_out == containing("auth token"));
    CHECK(about("callback_url", findings) == containing("ok: "));
    CHECK(set.fake->request_count() == 2);
}

TEST_CASE("an API key is tried on messages, as it may not read accounts") {
    SetUp set;
    const std::string key = "SK00000000000000000000000000000001";
    set.fake->add_api_key(FakeTwilio::demo_account_sid, key, "secret");
    set.credentials = Credentials::api_key(FakeTwilio::demo_account_sid, key, "secret");
    auto findings = set.check();
    CHECK(about("credentials", findings) == "ok: Twilio takes the API key\n");
    CHECK(about("account", findings) == containing("warning: its status and balance"));
    CHECK(about("sender", findings) == containing("ok: the sender is ONLINE"));
    set.credentials = Credentials::api_key(FakeTwilio::demo_account_sid, key, "canary");
    findings = set.check();
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().level == wrong);
    CHECK(findings.front().way_out == containing("one account"));
}

TEST_CASE("credentials that cannot be had are named, without an exception") {
    const auto transport = std::make_shared<ScriptedTransport>();
    const auto none = [] {
        return Result<Credentials>(Error::invalid_request("vault", "is shut"));
    };
    ClientOptions options;
    options.transport = transport;
    options.from = "+14155238886";
    const auto findings = check_setup(MessagesClient{none, options});
    check_texts(findings);
    REQUIRE(findings.size() == 1);
    CHECK(about("credentials", findings) == containing("vault: is shut"));
}

TEST_CASE("an account that is not active, or on trial, is told") {
    const SetUp set;
    for (const auto* status : {"suspended", "closed"}) {
        set.fake->set_account_status(FakeTwilio::demo_account_sid, status);
        CHECK(about("account", set.check()) ==
              "wrong: the account is " + std::string{status} + "\n");
    }
    set.fake->set_account_status(FakeTwilio::demo_account_sid, "active");
    set.fake->set_trial(FakeTwilio::demo_account_sid, {});
    CHECK(about("account", set.check()) ==
          containing("ok: the account is active\nwarning: it is a trial"));
}

TEST_CASE("an amount counts as money only above zero") {
    const SetUp set;
    const auto level = [&](const char* amount) {
        set.fake->set_balance(FakeTwilio::demo_account_sid, amount);
        const auto text = about("balance", set.check());
        return text.substr(0, text.find(':'));
    };
    for (const auto* amount : {"0.01", "12", ".5", "100.00"}) CHECK(level(amount) == "ok");
    for (const auto* amount : {"0", "0.00", "-0.01", "-12.5"}) CHECK(level(amount) == "wrong");
    for (const auto* amount : {"-", ".", "1.2.3", "1e9", "much"}) CHECK(level(amount) == "warning");
}

TEST_CASE("a subaccount has no balance, and none is missed") {
    SetUp set;
    const std::string subaccount = "AC0000000000000000000000000000000b";
    set.fake->add_subaccount(subaccount, "token");
    set.fake->add_sender(subaccount, "whatsapp:+14155550100");
    set.credentials = Credentials::auth_token(subaccount, "token");
    set.options.from = "+14155550100";
    const auto findings = set.check();
    CHECK(about("balance", findings).empty());
    CHECK(about("sender", findings) == containing("ok: "));
}

TEST_CASE("a sender that is offline is told with the reasons' codes, not with Twilio's words") {
    auto sender = online_sender();
    sender.status = ChannelSenderStatus{ChannelSenderStatus::offline};
    sender.offline_reasons = {{.code = "63020", .message = "canary +14155238886"},
                              {.code = "canary"}};
    CHECK(about("sender", with_sender(sender)) ==
          containing("wrong: the sender is OFFLINE: 63020 ("));
    sender.status = ChannelSenderStatus{ChannelSenderStatus::pending_verification};
    sender.offline_reasons = {};
    CHECK(about("sender", with_sender(sender)) == "wrong: the sender is PENDING_VERIFICATION\n");
    sender.status = ChannelSenderStatus{ChannelSenderStatus::online_updating};
    CHECK(about("sender", with_sender(sender)) == containing("ok: the sender is ONLINE:UPDATING"));
}

TEST_CASE("a low quality rating is a warning") {
    auto sender = online_sender();
    sender.quality_rating = "LOW";
    CHECK(about("quality", with_sender(sender)) == containing("warning: "));
    sender.quality_rating = "MEDIUM";
    CHECK(about("quality", with_sender(sender)) == containing("ok: "));
}

TEST_CASE("a sender that is none of the account's is wrong, but for the sandbox") {
    SetUp set;
    set.options.from = "+14155550100";
    CHECK(about("sender", set.check()) == containing("wrong: it is none of the account's"));
    SetUp alone;
    const std::string other = "AC0000000000000000000000000000000b";
    alone.fake->add_account(other, "token");
    alone.credentials = Credentials::auth_token(other, "token");
    CHECK(about("sender", alone.check()) == containing("warning: it is Twilio's sandbox"));
}

TEST_CASE("what cannot be looked at of the sender is said") {
    SetUp set;
    set.options.from = "sms:+14155550100";
    CHECK(about("sender", set.check()) ==
          containing("warning: not looked at: it is none for WhatsApp"));
    set.options.from = "";
    CHECK(about("sender", set.check()) == containing("wrong: the client has no default sender"));
    set.options.messaging_service_sid = std::string{FakeTwilio::demo_messaging_service_sid};
    CHECK(about("sender", set.check()) ==
          containing("warning: not looked at: a messaging service"));
}

TEST_CASE("a callback URL that Twilio could not call, or that anybody could read, is wrong") {
    const auto verdict = [](const std::string& url) {
        const auto text = about("callback_url", with_sender(online_sender(), url));
        return text.substr(0, text.find('\n'));
    };
    CHECK(verdict("bot.example.com") == containing("wrong: it does not begin with http"));
    CHECK(verdict("https://") == containing("wrong: it has no host"));
    CHECK(verdict("http://bot.example.com/whatsapp") == containing("wrong: it is not https"));
    for (const auto* host :
         {"localhost:8080", "127.0.0.1", "10.1.2.3", "192.168.0.7:443", "[::1]", "[fd00::1]", "bot",
          "bot.local", "bot.internal.", "a.LOCALHOST", "0.0.0.0"}) {
        CAPTURE(host);
        CHECK(verdict("https://" + std::string{host} + "/whatsapp") ==
              containing("wrong: Twilio cannot reach it"));
    }
    for (const auto* host :
         {"bot.example.com", "8.8.8.8", "[2606:4700::1111]", "user:canary@bot.example.com"}) {
        CAPTURE(host);
        CHECK(verdict("https://" + std::string{host} + "/whatsapp") == containing("ok: "));
    }
}

TEST_CASE("the callback URL has to be the sender's, its fragment and login aside") {
    const auto verdict = [](const std::string& of_sender, const std::string& url) {
        auto sender = online_sender();
        sender.callback_url = of_sender;
        const auto text = about("callback_url", with_sender(sender, url));
        const auto second = text.substr(text.find('\n') + 1);
        return second.substr(0, second.find(':'));
    };
    CHECK(verdict(bot_url, bot_url) == "ok");
    CHECK(verdict(bot_url + "#rc=3&rp=all", bot_url) == "ok");
    CHECK(verdict("https://user:canary@bot.example.com:443/whatsapp", bot_url) == "ok");
    CHECK(verdict("https://BOT.example.com", "https://bot.example.com/") == "ok");
    CHECK(verdict("", bot_url) == "wrong");
    for (const auto* other :
         {"http://bot.example.com/whatsapp", "https://bot.example.com/whatsapp/",
          "https://bot.example.com/whatsapp?a=1", "https://bot.example.com:8443/whatsapp",
          "https://old.example.com/whatsapp", "https://bot.example.com/Whatsapp", "nonsense"}) {
        CAPTURE(other);
        CHECK(verdict(other, bot_url) == "wrong");
    }
}

TEST_CASE("another callback URL of the sender is a warning where a messaging service may have it") {
    SetUp set;
    set.options.messaging_service_sid = std::string{FakeTwilio::demo_messaging_service_sid};
    CHECK(about("callback_url", set.check(bot_url)) ==
          containing("\nwarning: the sender has no callback URL"));
}

TEST_CASE("what Twilio fails to answer is a finding, and the rest is looked at") {
    // The requests of one check, and those of another.
    const SetUp set;
    const auto check = [&](int request) {
        const auto client = set.client();
        for (int i = 1; i < request; ++i) set.fake->next_fault(Fault::none);
        set.fake->next_fault(Fault::internal_error);
        auto findings = check_setup(client);
        check_texts(findings);
        set.fake->clear_faults();
        return findings;
    };
    CHECK(about("credentials", check(1)) == containing("wrong: Twilio gave no answer to go by"));
    const auto second = check(2);
    CHECK(about("balance", second) == containing("warning: could not be looked at"));
    CHECK(about("sender", second) == containing("ok: "));
    CHECK(about("sender", check(3)) == containing("warning: could not be looked at"));
}

TEST_CASE("a check that is cancelled, or out of time, asks no more") {
    const SetUp set;
    CancelSource source;
    source.cancel();
    auto findings = check_setup(set.client(), bot_url, {.cancel = source.token()});
    check_texts(findings);
    CHECK(about("credentials", findings) == "wrong: the check was cancelled\n");
    CHECK(set.fake->request_count() == 0);

    // The account is answered, and takes all the time that there is.
    const auto transport = std::make_shared<ScriptedTransport>();
    const auto clock = std::make_shared<ManualClock>();
    transport->then([&](const HttpRequest&, const CallContext&) {
        clock->advance(2s);
        return HttpResponse{
            .status = 200,
            .body = R"({"sid": "AC00000000000000000000000000000001", "status": "active"})"};
    });
    ClientOptions options;
    options.transport = transport;
    options.clock = clock;
    options.from = "+14155238886";
    const MessagesClient client{Credentials::auth_token(FakeTwilio::demo_account_sid, "token"),
                                options};
    findings = check_setup(client, {}, {.timeout = 1s});
    check_texts(findings);
    CHECK(about("account", findings) == "ok: the account is active\n");
    CHECK(about("balance", findings) == containing("warning: could not be looked at"));
    CHECK(about("sender", findings).empty());
    CHECK(transport->requests().size() == 1);
}

TEST_CASE("a check under way does not keep its client alive") {
    const SetUp set;
    std::optional<Result<Findings>> got;
    {
        const auto client = set.client();
        async_check_setup(client, {},
                          [&](Result<Findings> result) { got.emplace(std::move(result)); });
    }
    set.fake->run_until_idle();
    REQUIRE(got.has_value());
    CHECK(!got->has_value());
    CHECK(got->error().kind() == ErrorKind::cancelled);
}

}  // namespace check_setup_test
