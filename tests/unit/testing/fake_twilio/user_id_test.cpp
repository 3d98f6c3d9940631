#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace user_id_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Lifecycle;

namespace {

const std::string by_number = "whatsapp:+447700900123";
const std::string by_id = "whatsapp:GB.4f1a";
const std::string by_parent = "whatsapp:GB.ENT.77";

/// A service whose webhooks are kept, with a fake that delivers.
struct Desk {
    std::shared_ptr<FakeTwilio> fake =
        FakeTwilio::with_account({.lifecycle = Lifecycle::automatic});
    std::vector<InboundMessage> heard;
    std::vector<StatusCallback> statuses;
    WebhookHandler handler{
        RequestValidator{FakeTwilio::demo_auth_token},
        {.public_url = PublicUrl::fixed("https://example.com"), .clock = fake->clock()}};
    MessagesClient client{fake->credentials(), options()};

    Desk() {
        handler.on_message([this](const InboundMessage& message) { heard.push_back(message); });
        handler.on_status([this](const StatusCallback& status) { statuses.push_back(status); });
        fake->connect(handler);
        fake->set_status_callback(FakeTwilio::demo_sender, "https://example.com/status");
    }
    ClientOptions options() const {
        auto chosen = fake->client_options();
        chosen.status_callback = "https://example.com/status";
        return chosen;
    }
    testing::FakeCustomer lee() const { return fake->customer("+447700900123"); }
    const InboundMessage& hear(const testing::FakeCustomer& customer) {
        customer.sends_text("Hi");
        fake->run_until_idle();
        return heard.back();
    }
    Message send(const std::string& to) {
        const auto sent = client.send_text({.to = to, .body = "Hello"});
        fake->run_until_idle();
        return *fake->message(sent.sid.str());
    }
};

}  // namespace

TEST_CASE("who hides the number from the start is named by the id everywhere") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a").hides_number();
    const auto heard = desk.hear(lee);
    CHECK(heard.from == by_id);
    CHECK(heard.external_user_id == by_id);
    CHECK(heard.parent_external_user_id.empty());
    CHECK(heard.wa_id.empty());
    CHECK(lee.known_as() == by_id);
    CHECK(desk.send(heard.from).status == MessageStatus::delivered);
    CHECK(desk.statuses.back().to == by_id);
    CHECK(desk.statuses.back().external_user_id == by_id);
    CHECK(lee.sees().body == "Hello");
    CHECK(lee.conversation().size() == 2);
    CHECK(lee.window_is_open());
    CHECK(lee.reads() == 1);
}

TEST_CASE("linked portfolios name the parent's id in place of the own one") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a", "GB.ENT.77").hides_number();
    const auto heard = desk.hear(lee);
    CHECK(heard.from == by_parent);
    CHECK(heard.external_user_id == by_parent);
    CHECK(heard.parent_external_user_id == by_parent);
    CHECK(desk.send(by_parent).status == MessageStatus::delivered);
    CHECK(desk.send(by_id).status == MessageStatus::delivered);
    CHECK(lee.conversation().size() == 3);
}

TEST_CASE("who hides the number later is known to who was in touch before") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a");
    CHECK(desk.hear(lee).from == by_number);
    lee.hides_number();
    CHECK(desk.hear(lee).from == by_number);
    CHECK(desk.send(by_id).status == MessageStatus::delivered);
    CHECK(desk.statuses.back().to == by_number);
    lee.leaves_contact_book();
    CHECK(desk.hear(lee).from == by_id);
    desk.send("+447700900123");
    INFO("the number was written to");
    CHECK(desk.hear(lee).from == by_number);
    lee.hides_number(false);
    lee.leaves_contact_book();
    CHECK(desk.hear(lee).from == by_number);
}

TEST_CASE("a new number has a new id, and the old number's next holder, too") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a", "GB.ENT.77");
    desk.hear(lee);
    const auto moved = lee.changes_number("+447700900124");
    const auto heard = desk.hear(moved);
    CHECK(heard.from == "whatsapp:+447700900124");
    CHECK(heard.external_user_id == moved.user_id());
    CHECK(heard.external_user_id != by_id);
    CHECK_FALSE(heard.parent_external_user_id.empty());
    CHECK(heard.parent_external_user_id != by_parent);
    CHECK_FALSE(lee.window_is_open());
    const auto next = desk.hear(lee);
    CHECK(next.from == by_number);
    CHECK(next.external_user_id != by_id);
    CHECK(next.external_user_id != heard.external_user_id);
    CHECK(desk.send(by_id).error_code == 63003);
    CHECK_THROWS_AS(lee.changes_number("+447700900124"), InvalidRequestError);
    CHECK_THROWS_AS(lee.changes_number("GB.1"), InvalidRequestError);
    const auto without = desk.fake->customer("whatsapp:GB.none");
    CHECK_THROWS_AS(without.changes_number("+447700900125"), InvalidRequestError);
    CHECK_THROWS_AS(without.hides_number(), InvalidRequestError);
}

TEST_CASE("an id of another portfolio reaches nobody, and one that was told does") {
    Desk desk;
    CHECK(desk.send("whatsapp:GB.someone").error_code == 63003);
    const auto lee = desk.lee();
    desk.hear(lee);
    CHECK(desk.send(lee.user_id()).status == MessageStatus::delivered);
    CHECK(desk.fake->customer(lee.user_id()).address() == by_number);
    CHECK(desk.fake->customer_address(lee.user_id()) == by_number);
    const auto named = desk.fake->customer("whatsapp:GB.someone");
    CHECK(desk.hear(named).from == "whatsapp:GB.someone");
    CHECK(desk.send("whatsapp:GB.someone").status == MessageStatus::delivered);
}

TEST_CASE("an opt-out at Twilio holds for the id as for the number") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a").hides_number();
    lee.stops();
    desk.fake->run_until_idle();
    for (const auto& to : {by_id, by_number}) {
        CHECK(desk.client.try_send_text({.to = to, .body = "x"}).error().code() == 21610);
    }
    lee.starts_again();
    desk.fake->run_until_idle();
    CHECK(desk.client.try_send_text({.to = by_number, .body = "x"}).has_value());
}

TEST_CASE("an authentication template arrives at a number only") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a");
    desk.hear(lee);
    const auto code = desk.fake->add_content(
        {.body = "{{1}} is your code", .variables = {{"1", "0"}}, .category = "AUTHENTICATION"});
    const auto send = [&](const std::string& to) {
        const auto sent =
            desk.client.send_template({.to = to, .content_sid = code, .variables = {{"1", "7"}}});
        desk.fake->run_until_idle();
        return desk.fake->message(sent.sid.str())->error_code.value_or(0);
    };
    CHECK(send(by_number) == 0);
    CHECK(send(by_id) == 63013);
}

TEST_CASE("who hides the number is the same after a restart") {
    Desk desk;
    const auto lee = desk.lee().has_user_id("GB.4f1a").hides_number();
    desk.hear(lee);
    lee.leaves_contact_book();
    const auto again = std::make_shared<FakeTwilio>();
    again->load(desk.fake->save());
    CHECK(again->customer("+447700900123").known_as() == by_id);
    CHECK(again->customer("whatsapp:GB.4f1a").address() == by_number);
    const auto chats = again->chats();
    REQUIRE(chats.size() == 1);
    CHECK(chats[0].hides_number);
    CHECK(chats[0].known_as == by_id);
    CHECK(chats[0].user_id == by_id);
}

TEST_CASE("a whole conversation with one who hides the number midway is one customer's") {
    Desk desk;
    const auto store = std::make_shared<MemoryStore>();
    const auto clock = desk.fake->clock();
    const auto customers =
        std::make_shared<Customers>(store, CustomersOptions{.key = Secret{"k"}, .clock = clock});
    const auto opt_outs =
        std::make_shared<OptOuts>(store, OptOutOptions{.clock = clock, .customers = customers});
    const auto window = std::make_shared<ConversationWindow>(
        store, ConversationWindowOptions{.clock = clock, .customers = customers});
    WebhookHandler handler{RequestValidator{FakeTwilio::demo_auth_token},
                           {.public_url = PublicUrl::fixed("https://example.com"),
                            .window = window,
                            .opt_outs = opt_outs,
                            .customers = customers,
                            .clock = clock}};
    desk.fake->connect(handler);
    auto options = desk.options();
    options.window = window;
    options.opt_outs = opt_outs;
    const MessagesClient client{desk.fake->credentials(), options};
    const auto lee = desk.lee().has_user_id("GB.4f1a");
    lee.stops();
    desk.fake->run_until_idle();
    lee.hides_number();
    lee.leaves_contact_book();
    const auto refused = client.try_send_text({.to = by_id, .body = "x"}).error();
    CHECK(refused.code() == 21610);
    CHECK(refused.attempts() == 0);
    desk.fake->advance(1min);
    lee.starts_again();
    desk.fake->run_until_idle();
    CHECK(client.try_send_text({.to = by_number, .body = "x"}).has_value());
}

}  // namespace user_id_test
