// The main account's credentials acting for a subaccount, against the fake.
#include <twiliowa/types/credentials.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/media_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

namespace subaccount_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::FakeTwilio;

namespace {

const std::string main_account{FakeTwilio::demo_account_sid};
const std::string subaccount = "AC0000000000000000000000000000000b";
const std::string service = "MG0000000000000000000000000000000b";
const std::string sender = "whatsapp:+15551234567";
const std::string customer = "+447700900123";

struct Tenant {
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
    ClientOptions options = make_options();

    Tenant() {
        fake->add_subaccount(subaccount, "own-token");
        fake->add_messaging_service(subaccount, service, {sender});
    }
    ClientOptions make_options() const {
        auto o = fake->client_options();
        o.from = sender;
        return o;
    }
    Credentials acting() const { return fake->credentials().for_account(subaccount); }
    MessagesClient client() const { return MessagesClient{acting(), options}; }
    std::string received_file() const {
        testing::FakeInbound picture;
        picture.from = "whatsapp:" + customer;
        picture.to = sender;
        picture.media = "the picture";
        picture.media_type = "image/png";
        return fake->receive(std::move(picture));
    }
    /// Every request so far was for the subaccount, and was let in.
    bool all_accepted() const {
        const auto requests = fake->requests();
        return !requests.empty() &&
               std::all_of(requests.begin(), requests.end(), [](const auto& record) {
                   return record.credentials == "accepted" &&
                          record.url.find("/Accounts/" + subaccount + "/") != std::string::npos;
               });
    }
};

}  // namespace

TEST_CASE("every verb acts on the subaccount with the main account's token") {
    const Tenant tenant;
    const auto client = tenant.client();
    const auto sent = client.send_text({.to = customer, .body = "Hi"});
    CHECK(sent.account_sid == subaccount);
    CHECK(client.fetch(sent.sid).body == "Hi");
    client.feedback(sent.sid);
    client.send_text({.to = customer, .body = "Hello"});
    const auto page = client.list_page({.page_size = 1});
    CHECK(page.items.at(0).body == "Hello");
    CHECK(client.next_page(page).items.at(0).sid == sent.sid);
    CHECK(client.reconcile(OutboundText{.to = customer, .body = "Hi"}, tenant.fake->clock()->now())
              .outcome == Reconciliation::Outcome::found);
    tenant.fake->set_status(sent.sid.str(), "delivered");
    CHECK(client.redact(sent.sid).body.empty());
    client.remove(sent.sid);
    const auto later = client.send_text({.to = customer,
                                         .body = "Later",
                                         .messaging_service_sid = service,
                                         .send_at = tenant.fake->clock()->now() + 1h});
    CHECK(client.cancel(later.sid).status == MessageStatus::canceled);
    const MessageSid received{tenant.received_file()};
    const auto media = client.list_media(received);
    REQUIRE(media.size() == 1);
    client.remove_media(received, media[0].sid);
    std::optional<Result<Message>> asynchronous;
    client.async_fetch(later.sid, [&](Result<Message> message) { asynchronous = message; });
    tenant.fake->run_until_idle();
    CHECK(asynchronous.value().has_value());
    CHECK(tenant.all_accepted());
    CHECK(tenant.fake->messages().empty());
}

TEST_CASE("media of the subaccount is downloaded with the main account's token") {
    const Tenant tenant;
    const MessageSid received{tenant.received_file()};
    const auto media = tenant.client().list_media(received);
    const MediaClient downloads{tenant.acting(), tenant.options};
    CHECK(downloads.download_to_string(media.at(0).uri).bytes == "the picture");
    CHECK(tenant.all_accepted());
}

TEST_CASE("the typing indicator is of another API: it knows the login's own messages only") {
    const Tenant tenant;
    const MessageSid received{tenant.received_file()};
    CHECK(tenant.client().try_send_typing_indicator(received).error().http_status() == 404);
    const MessagesClient own{Credentials::auth_token(subaccount, "own-token"), tenant.options};
    CHECK(own.try_send_typing_indicator(received).has_value());
}

TEST_CASE("no other login opens a subaccount") {
    const Tenant tenant;
    const auto status = [&](const Credentials& credentials, const std::string& account) {
        HttpRequest request;
        request.url = "/2010-04-01/Accounts/" + account + "/Messages.json";
        request.authorization = credentials.authorization();
        return tenant.fake->handle(request).status;
    };
    const auto own = Credentials::auth_token(subaccount, "own-token");
    CHECK(status(tenant.acting(), subaccount) == 200);
    CHECK(status(own, subaccount) == 200);
    CHECK(status(own, main_account) == 401);
    CHECK(status(Credentials::auth_token(main_account, "wrong"), subaccount) == 401);
    const std::string key = "SK00000000000000000000000000000001";
    tenant.fake->add_api_key(main_account, key, "secret");
    CHECK(status(Credentials::api_key(main_account, key, "secret"), main_account) == 200);
    CHECK(status(Credentials::api_key(subaccount, key, "secret"), subaccount) == 401);
    const std::string stranger = "AC0000000000000000000000000000000c";
    tenant.fake->add_account(stranger, "token");
    CHECK(status(Credentials::auth_token(stranger, "token"), subaccount) == 401);
    tenant.fake->add_subaccount(subaccount, "own-token", stranger);
    CHECK(status(Credentials::auth_token(stranger, "token"), subaccount) == 200);
    CHECK(status(tenant.acting(), subaccount) == 401);
}

TEST_CASE("FakeTwilio tells an account's subaccounts, and each one's own credentials") {
    const Tenant tenant;
    CHECK(tenant.fake->subaccounts() == std::vector<std::string>{subaccount});
    CHECK(tenant.fake->subaccounts(main_account) == std::vector<std::string>{subaccount});
    CHECK(tenant.fake->subaccounts(subaccount).empty());
    CHECK(tenant.fake->credentials().account_sid().str() == main_account);
    const auto own = tenant.fake->credentials(subaccount);
    CHECK(own.username() == subaccount);
    CHECK(own.password().reveal() == "own-token");
    CHECK_THROWS_AS(static_cast<void>(tenant.fake->credentials("AC1")), InvalidRequestError);
    tenant.fake->add_demo_content(subaccount);
    const std::string content{FakeTwilio::demo_content_sid};
    CHECK(tenant.client().try_send_template({.to = customer, .content_sid = content}).has_value());
}

TEST_CASE("a subaccount has an owner that is none itself, and keeps it when it is saved") {
    const Tenant tenant;
    const std::string nested = "AC0000000000000000000000000000000c";
    CHECK_THROWS_AS(tenant.fake->add_subaccount(nested, "token", subaccount), InvalidRequestError);
    CHECK_THROWS_AS(tenant.fake->add_subaccount(nested, "token", nested), InvalidRequestError);
    CHECK_THROWS_AS(tenant.fake->add_subaccount(main_account, "token"), InvalidRequestError);
    CHECK_THROWS_AS(FakeTwilio{}.add_subaccount(nested, "token"), InvalidRequestError);
    const auto again = std::make_shared<FakeTwilio>();
    again->load(tenant.fake->save());
    auto options = tenant.options;
    options.transport = again;
    const MessagesClient client{tenant.acting(), options};
    CHECK(client.try_send_text({.to = customer, .body = "Hi"}).has_value());
}

}  // namespace subaccount_test
