#include <twiliowa/messages_client.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"
#include "support/store_doubles.hpp"

namespace messages_client_state_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;
using twiliowa::testing::SteppedStore;

namespace {

const std::string hex(32, 'a');
const std::string account = "AC" + std::string(32, '0');
const std::string service = "MG" + hex;
const std::string greeting = "HX" + hex;
const std::string sender = "whatsapp:+14155238886";
const std::string customer = "whatsapp:+447700900123";
const std::string created = R"({"sid":"SM)" + hex + R"(","status":"queued"})";

std::string refusal(int code) {
    return R"({"code":)" + std::to_string(code) + R"(,"message":"no","status":400})";
}

struct Office {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Store> store =
        std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    std::shared_ptr<ConversationWindow> window =
        std::make_shared<ConversationWindow>(store, ConversationWindowOptions{.clock = clock});
    std::shared_ptr<OptOuts> opt_outs =
        std::make_shared<OptOuts>(store, OptOutOptions{.clock = clock});
    ClientOptions options = make_options();

    ClientOptions make_options() const {
        ClientOptions o;
        o.from = "+14155238886";
        o.transport = transport;
        o.clock = clock;
        o.window = window;
        o.opt_outs = opt_outs;
        return o;
    }
    MessagesClient client() const {
        return MessagesClient(Credentials::auth_token(account, "token"), options);
    }
    /// The customer wrote, and the window has closed since.
    void let_window_close() {
        window->record_inbound(sender, customer).value();
        clock->advance(24h);
    }
    bool opted_out() const { return opt_outs->is_opted_out(sender, customer).value(); }
    std::string sent_body() const { return transport->requests().at(0).body; }
};

OutboundText text() {
    return {.to = "+447700900123", .body = "Hi"};
}
OutboundMedia media() {
    return {.to = "+447700900123", .media_url = "https://x.test/a"};
}
OutboundLocation location() {
    return {.to = "+447700900123", .latitude = 1, .name = "Here"};
}
OutboundTemplate content() {
    return {.to = "+447700900123", .content_sid = greeting};
}
OutboundMessage later(TimePoint when) {
    OutboundMessage message = text();
    message.messaging_service_sid = service;
    message.from = sender;
    message.send_at = when;
    return message;
}

Result<Message> finish(const Office& office, const OutboundMessage& message) {
    std::optional<Result<Message>> result;
    const auto client = office.client();
    client.async_send(message, [&](Result<Message> r) { result.emplace(std::move(r)); });
    CHECK_FALSE(result.has_value());  // never inside the initiating call
    office.transport->run_until_idle(office.clock.get());
    REQUIRE(result.has_value());
    return *result;
}

void check_closed(const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_request);
    CHECK(error.effect() == Effect::none);
    CHECK(error.field() == "Body");
    CHECK(error.code() == 63016);
    CHECK(error.hint() == containing("template"));
    CHECK(error.what() != containing("4477"));
}

void check_opted_out(const Error& error, int code = 21610) {
    CHECK(error.kind() == ErrorKind::invalid_request);
    CHECK(error.effect() == Effect::none);
    CHECK(error.field() == "To");
    CHECK(error.code() == code);
    CHECK(error.what() != containing("4477"));
}

}  // namespace

TEST_CASE("free-form messages outside the window are refused before the network") {
    Office o;
    o.let_window_close();
    const auto client = o.client();
    for (const OutboundMessage& message :
         {OutboundMessage(text()), OutboundMessage(media()), OutboundMessage(location())}) {
        check_closed(client.try_send(message).error());
        check_closed(client.check(message).error());
        check_closed(finish(o, message).error());
        CHECK_THROWS_AS(static_cast<void>(client.send(message)), InvalidRequestError);
    }
    check_closed(client.try_send_text(text()).error());
    check_closed(client.try_send_media(media()).error());
    check_closed(client.try_send_location(location()).error());
    CHECK(o.transport->request_count() == 0);
}

TEST_CASE("inside the window everything goes, and outside it templates do") {
    Office o;
    o.transport->respond(201, created).respond(201, created).respond(201, created);
    o.window->record_inbound(sender, customer).value();
    o.clock->advance(24h - 1ms);
    CHECK(o.client().try_send(text()).has_value());
    CHECK(finish(o, media()).has_value());
    o.clock->advance(1ms);
    CHECK(o.client().try_send(content()).has_value());
    CHECK(o.transport->request_count() == 3);
}

TEST_CASE("a message goes when nothing is known of the window, unless the option says otherwise") {
    Office o;
    o.transport->respond(201, created);
    CHECK(o.client().try_send(text()).has_value());
    CHECK(o.transport->request_count() == 1);
    o.options.unknown_window = UnknownWindow::refuse;
    check_closed(o.client().try_send(text()).error());
    CHECK(o.transport->request_count() == 1);
}

TEST_CASE("outside the window the fallback template goes instead, in every form") {
    Office o;
    o.let_window_close();
    auto message = text();
    message.fallback_content_sid = greeting;
    message.fallback_variables = {{"1", "Lee"}};
    const std::string expected =
        "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&ContentSid=" + greeting +
        "&ContentVariables=%7B%221%22%3A%22Lee%22%7D";
    o.transport->respond(201, created);
    SUBCASE("throwing") {
        CHECK(o.client().send_text(message).sent_fallback);
    }
    SUBCASE("try_") {
        CHECK(o.client().try_send_text(message).value().sent_fallback);
    }
    SUBCASE("async") {
        CHECK(finish(o, message).value().sent_fallback);
    }
    SUBCASE("with all of its content replaced") {
        OutboundMessage whole = message;
        whole.media_url = {"https://x.test/a"};
        whole.extra = {
            {"MediaUrl", "https://x.test/b"}, {"Body", "x"}, {"PersistentAction", "geo:1,2"}};
        CHECK(o.client().check(whole).has_value());
        CHECK(o.client().try_send(whole).has_value());
    }
    CHECK(o.sent_body() == expected);
}

TEST_CASE("the fallbacks of media and locations go too") {
    Office o;
    o.let_window_close();
    o.transport->respond(201, created).respond(201, created);
    auto picture = media();
    picture.fallback_content_sid = greeting;
    auto place = location();
    place.fallback_content_sid = greeting;
    CHECK(o.client().try_send_media(picture).has_value());
    CHECK(o.client().try_send_location(place).has_value());
    for (const auto& request : o.transport->requests()) {
        CHECK(request.body ==
              "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886"
              "&ContentSid=" +
                  greeting);
    }
}

TEST_CASE("the fallback says what the message was for") {
    Office o;
    o.let_window_close();
    auto message = text();
    message.fallback_content_sid = greeting;
    message.message_intent = MessageIntent{MessageIntent::delivery};
    o.transport->respond(201, created);
    CHECK(o.client().send_text(message).sent_fallback);
    CHECK(o.sent_body() == containing("ContentSid=" + greeting));
    CHECK(o.sent_body() == containing("MessageIntent=delivery"));
}

TEST_CASE("inside the window the fallback stays at home, and none of it is sent") {
    Office o;
    auto message = text();
    message.fallback_content_sid = greeting;
    o.transport->respond(201, created);
    o.window->record_inbound(sender, customer).value();
    CHECK_FALSE(o.client().send(message).sent_fallback);
    CHECK(o.sent_body() == "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&Body=Hi");
}

TEST_CASE("a client without a window refuses a fallback, which it would never send") {
    Office o;
    o.options.window = nullptr;
    SUBCASE("with opt-outs") {}
    SUBCASE("without either") {
        o.options.opt_outs = nullptr;
    }
    const auto client = o.client();
    auto message = text();
    message.fallback_content_sid = greeting;
    const auto check_refused = [](const auto& result) {
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().kind() == ErrorKind::invalid_request);
        CHECK(result.error().field() == "fallback_content_sid");
        CHECK(result.error().hint() == containing("ClientOptions::window"));
    };
    check_refused(client.check(message));
    check_refused(client.try_send(message));
    check_refused(finish(o, message));
    CHECK(o.transport->request_count() == 0);
}

TEST_CASE("to look for a message that had a fallback no window is needed") {
    Office o;
    o.options.window = nullptr;
    auto message = text();
    message.fallback_content_sid = greeting;
    o.transport->respond(200, R"({"messages":[],"next_page_uri":null})")
        .respond(200, R"({"messages":[],"next_page_uri":null})");
    CHECK(o.client().try_reconcile(message, o.clock->now()).has_value());
}

TEST_CASE("the white space of a fallback's variables is treated as the message says") {
    Office o;
    o.let_window_close();
    o.transport->respond(201, created).respond(201, created).respond(201, created);
    const auto check_normalised = [&](auto message) {
        message.fallback_content_sid = greeting;
        message.fallback_variables = {{"1", "Lee\nSmith"}};
        CHECK(o.client().try_send(message).error().field() == "fallback_variables");
        message.whitespace = WhitespacePolicy::normalise;
        REQUIRE(o.client().try_send(message).has_value());
        CHECK(o.transport->requests().back().body == containing("%22Lee+Smith%22"));
    };
    check_normalised(text());
    check_normalised(media());
    check_normalised(location());
}

TEST_CASE("a faulty fallback is refused whatever the window is") {
    Office o;
    const auto client = o.client();
    auto message = text();
    message.fallback_content_sid = "HX1";
    CHECK(client.try_send(message).error().field() == "fallback_content_sid");
    message.fallback_content_sid = greeting;
    message.fallback_variables = {{"not a name", "x"}};
    CHECK(client.try_send(message).error().field() == "fallback_variables");
    message.fallback_content_sid.clear();
    CHECK(client.try_send(message).error().field() == "fallback_variables");
    OutboundMessage twice = content();
    twice.fallback_content_sid = greeting;
    CHECK(client.try_send(twice).error().field() == "fallback_content_sid");
    OutboundMessage extra = text();
    extra.fallback_content_sid = greeting;
    extra.extra = {{"ContentSid", greeting}};
    CHECK(client.try_send(extra).error().field() == "fallback_content_sid");
    CHECK(o.transport->request_count() == 0);
}

TEST_CASE("the window of another sender or customer does not count") {
    Office o;
    o.let_window_close();
    o.transport->respond(201, created).respond(201, created);
    auto other = text();
    other.to = "+447700900124";
    CHECK(o.client().try_send(other).has_value());
    other = text();
    other.from = "+14155550000";
    CHECK(o.client().try_send(other).has_value());
}

TEST_CASE("an SMS knows no window") {
    Office o;
    o.options.unknown_window = UnknownWindow::refuse;
    o.transport->respond(201, created);
    CHECK(o.client()
              .try_send(
                  OutboundText{.to = "sms:+447700900123", .body = "Hi", .from = "sms:+14155238886"})
              .has_value());
}

TEST_CASE("a client that leaves the sender to a messaging service goes by the service") {
    Office o;
    o.options.from.clear();
    o.options.messaging_service_sid = service;
    o.window->record_inbound(service, customer).value();
    o.clock->advance(24h);
    check_closed(o.client().try_send(text()).error());
    o.opt_outs->opt_out(service, customer).value();
    check_opted_out(o.client().try_send(content()).error());
    CHECK(o.transport->request_count() == 0);
}

TEST_CASE("a scheduled message is judged by what is known of the window at its time") {
    Office o;
    o.window->record_inbound(sender, customer).value();
    const auto now = o.clock->now();
    o.transport->respond(201, created);
    CHECK(o.client().try_send(later(now + 23h)).has_value());
    check_closed(o.client().try_send(later(now + 25h)).error());
    o.opt_outs->opt_out(sender, customer).value();
    check_opted_out(o.client().try_send(later(now + 1h)).error());
    CHECK(o.transport->request_count() == 1);
}

TEST_CASE("whoever has opted out gets no message of any kind, until they come back") {
    Office o;
    o.window->record_inbound(sender, customer).value();
    o.opt_outs->opt_out(sender, customer).value();
    const auto client = o.client();
    for (const OutboundMessage& message :
         {OutboundMessage(text()), OutboundMessage(media()), OutboundMessage(location()),
          OutboundMessage(content())}) {
        check_opted_out(client.try_send(message).error());
        check_opted_out(client.check(message).error());
        check_opted_out(finish(o, message).error());
        CHECK_THROWS_AS(static_cast<void>(client.send(message)), InvalidRequestError);
    }
    CHECK(o.transport->request_count() == 0);
    o.opt_outs->opt_in(sender, customer).value();
    o.transport->respond(201, created);
    CHECK(client.try_send(text()).has_value());
}

TEST_CASE("an opt-out of SMS does not stop WhatsApp, nor the other way round") {
    Office o;
    const OutboundText sms{.to = "sms:+447700900123", .body = "Hi", .from = "sms:+14155238886"};
    o.opt_outs->opt_out("sms:+14155238886", "sms:+447700900123").value();
    o.transport->respond(201, created);
    check_opted_out(o.client().try_send(sms).error());
    CHECK(o.client().try_send(text()).has_value());
}

TEST_CASE("a refusal that means an opt-out is learnt, in every form") {
    for (const int code : {21610, 63033}) {
        for (const bool async : {false, true}) {
            CAPTURE(code);
            Office o;
            o.transport->respond(400, refusal(code));
            const auto refused = async ? finish(o, content()) : o.client().try_send(content());
            CHECK(refused.error().kind() == ErrorKind::api);
            CHECK(refused.error().code() == code);
            CHECK(o.opted_out());
            check_opted_out(o.client().try_send(content()).error(), code);
            CHECK(o.transport->request_count() == 1);
        }
    }
}

TEST_CASE("a refusal with 63016 closes the window until the customer writes again") {
    for (const bool async : {false, true}) {
        Office o;
        o.window->record_inbound(sender, customer).value();
        o.clock->advance(1h);
        o.transport->respond(400, refusal(63016)).respond(201, created);
        const auto refused = async ? finish(o, text()) : o.client().try_send(text());
        CHECK(refused.error().kind() == ErrorKind::api);
        check_closed(o.client().try_send(text()).error());
        o.clock->advance(1s);
        o.window->record_inbound(sender, customer).value();
        CHECK(o.client().try_send(text()).has_value());
        CHECK(o.transport->request_count() == 2);
    }
}

TEST_CASE("other refusals and failures teach nothing") {
    Office o;
    o.window->record_inbound(sender, customer).value();
    o.transport->respond(400, refusal(21211)).respond(500, refusal(21610));
    CHECK(o.client().try_send(text()).error().code() == 21211);
    CHECK(o.client().try_send(text()).error().kind() == ErrorKind::outcome_unknown);
    CHECK_FALSE(o.opted_out());
    CHECK(o.window->state(sender, customer).value().open);
}

TEST_CASE("while a store fails nothing is sent, and the error names it") {
    Office o;
    const auto broken = std::make_shared<BrokenStore>();
    SUBCASE("the window's") {
        o.options.window = std::make_shared<ConversationWindow>(broken);
    }
    SUBCASE("that of the opt-outs") {
        o.options.opt_outs = std::make_shared<OptOuts>(broken);
    }
    for (const auto& result : {o.client().try_send(text()), finish(o, text())}) {
        CHECK(is_store_error(result.error()));
        CHECK(result.error().effect() == Effect::none);
    }
    CHECK_THROWS_AS(static_cast<void>(o.client().send(text())), TransportError);
    CHECK(o.transport->request_count() == 0);
}

TEST_CASE("a store is asked once for each thing there is to know") {
    Office o;
    const auto store = std::make_shared<SteppedStore>();
    o.options.window = std::make_shared<ConversationWindow>(store);
    o.options.opt_outs = std::make_shared<OptOuts>(store);
    o.transport->respond(201, created).respond(201, created);
    CHECK(o.client().try_send(text()).has_value());
    CHECK(store->gets == 2);
    CHECK(o.client().try_send(content()).has_value());
    CHECK(store->gets == 3);
    CHECK(store->writes == 0);
}

TEST_CASE("a refusal of marketing stops marketing alone, where it is said to be marketing") {
    Office o;
    o.transport->respond(400, refusal(63050));
    auto advertisement = content();
    advertisement.category = TemplateCategory{"marketing"};
    const auto client = o.client();
    CHECK(client.try_send_template(advertisement).error().code() == 63050);
    CHECK_FALSE(o.opted_out());

    o.clock->advance(30min);
    o.window->record_inbound(sender, customer).value();
    auto reminder = content();
    reminder.category = TemplateCategory{TemplateCategory::utility};
    for (const OutboundMessage& message :
         {OutboundMessage(text()), OutboundMessage(reminder), OutboundMessage(content())}) {
        o.transport->respond(201, created);
        CHECK(client.try_send(message).has_value());
    }
    const auto sent = o.transport->request_count();
    const auto refused = client.try_send_template(advertisement);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind() == ErrorKind::invalid_request);
    CHECK(refused.error().field() == "To");
    CHECK(refused.error().code() == 63050);
    CHECK(refused.error().advice().category == ErrorCategory::opted_out);
    CHECK(finish(o, advertisement).error().code() == 63050);
    CHECK(o.transport->request_count() == sent);
}

TEST_CASE("nothing goes to who blocked the sender until the customer writes") {
    Office o;
    o.transport->respond(400, refusal(63033));
    const auto client = o.client();
    CHECK(client.try_send_template(content()).error().code() == 63033);
    const auto refused = client.try_send_template(content());
    CHECK(refused.error().kind() == ErrorKind::invalid_request);
    CHECK(refused.error().code() == 63033);
    o.clock->advance(1s);
    o.opt_outs->learn_inbound(sender, customer, "", "hello").value();
    o.transport->respond(201, created);
    CHECK(client.try_send_template(content()).has_value());
}

TEST_CASE("the category of a message is not that of its fallback") {
    Office o;
    o.opt_outs->learn_error(sender, customer, 63050).value();
    o.let_window_close();
    OutboundMessage message = text();
    message.fallback_content_sid = greeting;
    message.category = TemplateCategory{TemplateCategory::marketing};
    CHECK(o.client().try_send(message).error().code() == 63050);
    message.category = {};
    o.transport->respond(201, created);
    CHECK(o.client().try_send(message).has_value());
}

TEST_CASE("a send to one customer of several addresses costs one store operation more") {
    Office o;
    const auto store = std::make_shared<SteppedStore>();
    const auto operations_of_a_send = [&](bool with_customers, bool free_form) {
        std::shared_ptr<Customers> customers;
        if (with_customers) {
            customers = std::make_shared<Customers>(
                store, CustomersOptions{.key = Secret{"k"}, .clock = o.clock});
        }
        o.options.window = std::make_shared<ConversationWindow>(
            store, ConversationWindowOptions{.clock = o.clock, .customers = customers});
        o.options.opt_outs = std::make_shared<OptOuts>(
            store, OptOutOptions{.clock = o.clock, .customers = customers});
        OutboundMessage message = free_form ? OutboundMessage(text()) : OutboundMessage(content());
        message.from = sender;
        message.messaging_service_sid = service;
        o.transport->respond(201, created);
        store->gets = 0;
        o.client().send(message);
        return store->gets;
    };
    const int plain = operations_of_a_send(false, true);
    const int plain_template = operations_of_a_send(false, false);
    CHECK(plain == 4);
    CHECK(plain_template == 2);
    CHECK(operations_of_a_send(true, true) == plain + 1);
    CHECK(operations_of_a_send(true, false) == plain_template + 1);
    const Customers customers{store, {.key = Secret{"k"}, .clock = o.clock}};
    for (const auto& ours : {Sender::parse(sender).value(), Sender::parse(service).value()}) {
        const std::vector<Address> named{Address::parse(customer).value(),
                                         Address::parse("whatsapp:GB.4f1a").value(),
                                         Address::parse("whatsapp:GB.ENT.7").value()};
        CHECK(customers.learn(ours, named)->linked);
    }
    CHECK(operations_of_a_send(true, true) == plain + 1);
    CHECK(operations_of_a_send(true, false) == plain_template + 1);
    CHECK(store->writes > 0);
}

TEST_CASE("what is known of a customer under one address decides a send to another") {
    Office o;
    const auto customers = std::make_shared<Customers>(
        o.store, CustomersOptions{.key = Secret{"k"}, .clock = o.clock});
    o.window = std::make_shared<ConversationWindow>(
        o.store, ConversationWindowOptions{.clock = o.clock, .customers = customers});
    o.opt_outs =
        std::make_shared<OptOuts>(o.store, OptOutOptions{.clock = o.clock, .customers = customers});
    o.options = o.make_options();
    const std::string by_id = "whatsapp:GB.4f1a";
    o.let_window_close();
    o.transport->respond(201, created);
    o.client().send_text({.to = by_id, .body = "Nothing is known of the id alone"});
    const std::vector<Address> both{Address::parse(customer).value(),
                                    Address::parse(by_id).value()};
    CHECK(customers->learn(Sender::parse(sender).value(), both)->linked);
    check_closed(o.client().try_send_text({.to = by_id, .body = "Hi"}).error());
    o.window->record_inbound(sender, by_id).value();
    o.transport->respond(400, refusal(21610));
    CHECK(o.client().try_send_text(text()).error().code() == 21610);
    o.clock->advance(1min);
    const auto refused = o.client().try_send_text({.to = by_id, .body = "Hi"}).error();
    CHECK(refused.code() == 21610);
    CHECK(refused.attempts() == 0);
    CHECK(o.transport->requests().size() == 2);
}

}  // namespace messages_client_state_test
