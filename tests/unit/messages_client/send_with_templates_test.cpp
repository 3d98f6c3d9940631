#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/templates.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"

namespace send_with_templates_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::ManualClock;

namespace {

const std::string customer = "+447700900123";
const std::string user_id = "whatsapp:GB.4f1a";

struct Desk {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account({.clock = clock});
    std::shared_ptr<ConversationWindow> window = std::make_shared<ConversationWindow>(
        std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock}),
        ConversationWindowOptions{.clock = clock});
    std::shared_ptr<OptOuts> opt_outs =
        std::make_shared<OptOuts>(std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock}),
                                  OptOutOptions{.clock = clock});
    TemplatesOptions templates_options = {.clock = clock};

    ClientOptions options() const {
        auto options = fake->client_options();
        options.retry.max_attempts = 1;
        return options;
    }
    std::shared_ptr<Templates> templates() const {
        return std::make_shared<Templates>(ContentClient{fake->credentials(), options()},
                                           templates_options);
    }
    MessagesClient client(UnknownWindow unknown = UnknownWindow::send) const {
        auto with = options();
        with.window = window;
        with.opt_outs = opt_outs;
        with.unknown_window = unknown;
        with.templates = templates();
        return MessagesClient{fake->credentials(), with};
    }
    std::string add(std::string approval, std::string types = {},
                    std::string category = "UTILITY") const {
        return fake->add_content({.body = "Hi {{1}}",
                                  .variables = {{"1", "John"}},
                                  .types = std::move(types),
                                  .approval = std::move(approval),
                                  .category = std::move(category)});
    }
    void open_window() const { REQUIRE(window->record_inbound(FakeTwilio::demo_sender, customer)); }
    void close_window() const {
        open_window();
        clock->advance(25h);
    }
    std::size_t sent() const { return fake->messages().size(); }
};

const TemplateVariables ann{{"1", "Ann"}};

std::string list_picker() {
    return R"({"twilio/list-picker": {"body": "Pick {{1}}", "button": "Open",
        "items": [{"id": "1", "item": "One"}]}})";
}

/// What an observer is told of calls, one line each.
struct HeardCalls final : Observer {
    std::vector<std::string> texts;
    std::vector<std::uint64_t> ids;

    /// Calls are numbered as they come.
    std::string number_of(const CallInfo& call) {
        const auto known = std::find(ids.begin(), ids.end(), call.id);
        const auto number = known - ids.begin() + 1;
        if (known == ids.end()) ids.push_back(call.id);
        return std::to_string(number);
    }
    void on_call(const CallEvent& event) noexcept override {
        const bool is_demo = event.call.account_sid == FakeTwilio::demo_account_sid;
        texts.push_back("call " + number_of(event.call) + (is_demo ? " demo " : " ? ") +
                        std::string{event.call.correlation_id});
    }
    void on_attempt(const AttemptEvent& event) noexcept override {
        texts.push_back("attempt " + number_of(event.call));
    }
    void on_result(const ResultEvent& event) noexcept override {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(event.duration);
        texts.push_back(
            "result " + number_of(event.call) + " after " + std::to_string(seconds.count()) +
            " s, " + std::to_string(event.attempts) +
            " attempts: " + (event.error ? std::string{to_string(event.error->kind())} : "sent"));
    }
};

/// The code of the refusal; 0 if it was sent.
int code_of(const Result<Message>& sent) {
    return sent ? 0 : sent.error().code();
}

}  // namespace

TEST_CASE("a send whose variables do not fit its template is refused before the network") {
    const Desk desk;
    const auto client = desk.client();
    const auto sid = desk.add("approved");
    const auto missing = client.try_send_template({.to = customer, .content_sid = sid});
    CHECK(missing.error().kind() == ErrorKind::invalid_request);
    CHECK(missing.error().code() == 21656);
    CHECK(missing.error().what() == containing(R"(variable "1" is missing)"));
    CHECK(code_of(client.try_send_template(
              {.to = customer, .content_sid = sid, .variables = {{"1", "Ann"}, {"2", "x"}}})) ==
          21656);
    CHECK(desk.sent() == 0);
    CHECK(client.try_send_template({.to = customer, .content_sid = sid, .variables = ann}));
    CHECK(client.try_send_template(
        {.to = customer, .content_sid = sid, .variables = TemplateVariables{}.use_default("1")}));
    CHECK(desk.sent() == 2);
    CHECK(client.check(OutboundTemplate{.to = customer, .content_sid = sid}).error().code() ==
          21656);
}

TEST_CASE("without Templates nothing is refused for its variables") {
    const Desk desk;
    const MessagesClient client{desk.fake->credentials(), desk.options()};
    const auto sid = desk.add("approved");
    CHECK(client.try_send_template({.to = customer, .content_sid = sid}));
}

TEST_CASE("nothing is looked up for a message that is refused whatever its template is") {
    const Desk desk;
    const auto client = desk.client();
    const OutboundTemplate wrong{
        .to = "nobody", .content_sid = desk.add("approved"), .variables = ann};
    CHECK(client.try_send_template(wrong).error().field() == "To");
    CHECK(client.check(wrong).error().field() == "To");
    std::optional<Error> end;
    client.async_send_template(wrong, [&](const auto& sent) { end = sent.error(); });
    desk.fake->run_until_idle();
    REQUIRE(end);
    CHECK(end->field() == "To");
    CHECK(desk.fake->request_count() == 0);
}

TEST_CASE("what extra says of a template that is checked would go unchecked, and is refused") {
    const Desk desk;
    const auto sid = desk.add("approved");
    const auto other = desk.add("approved");
    const auto refused = [&](NamedTexts extra) {
        OutboundMessage message{.to = customer, .content_sid = sid, .content_variables = ann};
        message.extra = std::move(extra);
        const auto sent = desk.client().try_send(message);
        return sent ? std::string{} : std::string{sent.error().field()};
    };
    CHECK(refused({{"ContentVariables", R"({"1": ""})"}}) == "ContentVariables");
    CHECK(refused({{"ContentSid", other}}) == "ContentSid");
    CHECK(desk.sent() == 0);
    CHECK(refused({{"Novelty", "x"}}).empty());
}

TEST_CASE("a template is looked up once for many sends, and a send needs no other call") {
    const Desk desk;
    const auto client = desk.client();
    const auto sid = desk.add("approved");
    for (int i = 0; i < 10; ++i) {
        CHECK(client.try_send_template({.to = customer, .content_sid = sid, .variables = ann}));
    }
    CHECK(desk.fake->request_count() == 12);
}

TEST_CASE("a template that is rejected, paused or disabled does not go, even in the window") {
    const Desk desk;
    desk.open_window();
    const auto client = desk.client();
    const auto sent = [&](const char* status) {
        return code_of(client.try_send_template(
            {.to = customer, .content_sid = desk.add(status), .variables = ann}));
    };
    CHECK(sent("rejected") == 63040);
    CHECK(sent("paused") == 63041);
    CHECK(sent("disabled") == 63042);
    CHECK(desk.sent() == 0);
    CHECK(sent("approved") == 0);
}

TEST_CASE("a template that is not approved goes in the window only, or where nothing is known") {
    const Desk desk;
    const auto pending = desk.add("pending");
    const OutboundTemplate message{.to = customer, .content_sid = pending, .variables = ann};
    CHECK(code_of(desk.client().try_send_template(message)) == 0);
    const auto careful = desk.client(UnknownWindow::refuse).try_send_template(message);
    CHECK(careful.error().code() == 63016);
    CHECK(careful.error().what() == containing("it is pending"));
    desk.open_window();
    CHECK(code_of(desk.client(UnknownWindow::refuse).try_send_template(message)) == 0);
    desk.clock->advance(25h);
    const auto closed = desk.client().try_send_template(message);
    CHECK(closed.error().code() == 63016);
    CHECK(closed.error().field() == "ContentSid");
    CHECK(code_of(desk.client().try_send_template(
              {.to = customer, .content_sid = desk.add("approved"), .variables = ann})) == 0);
}

TEST_CASE("a refusal says whether the window is closed or nothing is known of it") {
    const Desk desk;
    const auto why = [&](std::string types) {
        const auto sent =
            desk.client(UnknownWindow::refuse)
                .try_send_template(
                    {.to = customer, .content_sid = desk.add("pending", types), .variables = ann});
        return sent ? std::string{} : std::string{sent.error().what()};
    };
    const auto why_text = [&] {
        const auto sent =
            desk.client(UnknownWindow::refuse).try_send_text({.to = customer, .body = "Hello"});
        return sent ? std::string{} : std::string{sent.error().what()};
    };
    CHECK(why_text() == containing("nothing is known of the 24-hour window"));
    CHECK(why({}) == containing("nothing is known of the 24-hour window"));
    CHECK(why(list_picker()) == containing("nothing is known of the 24-hour window"));
    desk.close_window();
    CHECK(why_text() == containing("the 24-hour window of the recipient is closed"));
    CHECK(why({}) == containing("the 24-hour window of the recipient is closed"));
    CHECK(why(list_picker()) == containing("the 24-hour window of the recipient is closed"));
}

TEST_CASE("without a window a text goes, and a template that needs one as the options say") {
    const Desk desk;
    const auto sent = [&](UnknownWindow unknown, const OutboundMessage& message) {
        auto with = desk.options();
        with.opt_outs = desk.opt_outs;
        with.unknown_window = unknown;
        with.templates = desk.templates();
        return code_of(MessagesClient{desk.fake->credentials(), with}.try_send(message));
    };
    const OutboundMessage text = OutboundText{.to = customer, .body = "Hello"};
    const OutboundMessage pending =
        OutboundTemplate{.to = customer, .content_sid = desk.add("pending"), .variables = ann};
    CHECK(sent(UnknownWindow::refuse, text) == 0);
    CHECK(sent(UnknownWindow::send, pending) == 0);
    CHECK(sent(UnknownWindow::refuse, pending) == 63016);
    CHECK(desk.sent() == 2);
}

TEST_CASE("a template of whose approval a file says nothing counts as unsubmitted") {
    const Desk desk;
    const std::string sid = "HX" + std::string(32, 'a');
    auto with = desk.options();
    with.window = desk.window;
    with.templates = Templates::from_json(R"({"contents": [{"sid": ")" + sid +
                                          R"(", "types": {"twilio/text": {"body": "Hi"}}}]})");
    desk.close_window();
    const MessagesClient client{desk.fake->credentials(), with};
    const auto sent = client.try_send_template({.to = customer, .content_sid = sid});
    CHECK(code_of(sent) == 63016);
    CHECK(sent.error().what() == containing("it is unsubmitted"));
}

TEST_CASE("with Direct Send a template needs no approval") {
    Desk desk;
    desk.templates_options.direct_send = true;
    desk.close_window();
    CHECK(code_of(desk.client().try_send_template(
              {.to = customer, .content_sid = desk.add("unsubmitted"), .variables = ann})) == 0);
    CHECK(code_of(desk.client().try_send_template(
              {.to = customer,
               .content_sid = desk.add("unsubmitted", list_picker()),
               .variables = ann})) == 63016);
}

TEST_CASE("a type for the session goes in the window only, and one for approval approved only") {
    const Desk desk;
    const auto list = desk.add("approved", list_picker());
    const OutboundTemplate message{.to = customer, .content_sid = list, .variables = ann};
    desk.close_window();
    const auto closed = desk.client().try_send_template(message);
    CHECK(closed.error().code() == 63016);
    CHECK(closed.error().what() == containing("twilio/list-picker"));
    desk.open_window();
    CHECK(code_of(desk.client().try_send_template(message)) == 0);
    const auto card = R"({"body": "A", "media": "https://x.test/a.png",
        "actions": [{"type": "URL", "title": "Go", "url": "https://x.test"}]})";
    const auto carousel =
        desk.add("pending", R"({"twilio/carousel": {"body": "Hi {{1}}", "cards": [)" +
                                std::string(card) + "," + card + "]}}");
    const auto unapproved = desk.client().try_send_template(
        {.to = customer, .content_sid = carousel, .variables = ann});
    CHECK(unapproved.error().code() == 63016);
    CHECK(unapproved.error().what() == containing("needs WhatsApp's approval"));
}

TEST_CASE("SMS asks nobody for approval") {
    const Desk desk;
    desk.fake->add_sender(FakeTwilio::demo_account_sid, "+15005550006");
    const auto sent = desk.client().try_send_template({.to = "sms:+447700900123",
                                                       .content_sid = desk.add("rejected"),
                                                       .variables = ann,
                                                       .from = "sms:+15005550006"});
    CHECK(code_of(sent) == 0);
}

TEST_CASE("marketing is known by the template, though the message does not say so") {
    const Desk desk;
    REQUIRE(desk.opt_outs->learn_error(FakeTwilio::demo_sender, customer, 63050));
    const auto client = desk.client();
    CHECK(code_of(client.try_send_template({.to = customer,
                                            .content_sid = desk.add("approved", {}, "MARKETING"),
                                            .variables = ann})) == 63050);
    CHECK(code_of(client.try_send_template(
              {.to = customer, .content_sid = desk.add("approved"), .variables = ann})) == 0);
    // The fallback of a text, too.
    desk.close_window();
    CHECK(
        code_of(client.try_send_text({.to = customer,
                                      .body = "Hello",
                                      .fallback_content_sid = desk.add("approved", {}, "MARKETING"),
                                      .fallback_variables = ann})) == 63050);
}

TEST_CASE("a fallback that is marketing is refused to who wants none, and to nobody else") {
    const Desk desk;
    desk.close_window();
    const auto client = desk.client();
    const auto marketing = desk.add("approved", {}, "MARKETING");
    const auto sent = [&](const std::string& fallback) {
        return code_of(client.try_send(OutboundMessage{
            .to = customer,
            .from = TextField(FakeTwilio::demo_sender),
            .messaging_service_sid = TextField(FakeTwilio::demo_messaging_service_sid),
            .body = "Hello",
            .fallback_content_sid = fallback,
            .fallback_variables = ann}));
    };
    CHECK(sent(marketing) == 0);
    // Of this sender; of the messaging service nothing is known.
    REQUIRE(desk.opt_outs->learn_error(FakeTwilio::demo_sender, customer, 63050));
    CHECK(sent(marketing) == 63050);
    CHECK(sent(desk.add("approved")) == 0);
    CHECK(desk.sent() == 2);
}

TEST_CASE("with Direct Send a fallback needs no approval") {
    Desk desk;
    desk.templates_options.direct_send = true;
    desk.close_window();
    const auto sent = desk.client().try_send_text({.to = customer,
                                                   .body = "Hello",
                                                   .fallback_content_sid = desk.add("unsubmitted"),
                                                   .fallback_variables = ann});
    REQUIRE(sent);
    CHECK(sent->sent_fallback);
}

TEST_CASE("a fallback template has to fit and to be approved") {
    const Desk desk;
    desk.close_window();
    const auto client = desk.client();
    const auto text = [&](std::string approval, TemplateVariables variables) {
        return client.try_send_text({.to = customer,
                                     .body = "Hello",
                                     .fallback_content_sid = desk.add(std::move(approval)),
                                     .fallback_variables = std::move(variables)});
    };
    CHECK(code_of(text("approved", {})) == 21656);
    CHECK(code_of(text("pending", ann)) == 63016);
    const auto sent = text("approved", ann);
    REQUIRE(sent);
    CHECK(sent->sent_fallback);
    // In the window it does not matter.
    desk.open_window();
    CHECK(code_of(text("pending", {})) == 0);
}

TEST_CASE("a fallback that stays at home is not looked up: the text goes while nobody answers") {
    const Desk desk;
    const auto silent = FakeTwilio::with_account({.clock = desk.clock});
    silent->set_fault_rate(Fault::black_hole, 1);
    auto with = desk.options();
    with.window = desk.window;
    with.templates = std::make_shared<Templates>(
        ContentClient{silent->credentials(), silent->client_options()}, desk.templates_options);
    const MessagesClient client{desk.fake->credentials(), with};
    const OutboundText text{.to = customer,
                            .body = "Hello",
                            .fallback_content_sid = TextField("HX" + std::string(32, 'a')),
                            .fallback_variables = ann};
    const auto send_all = [&] {
        const auto started = desk.clock->monotonic_now();
        CHECK(client.check(text));
        CHECK(client.try_send_text(text));
        std::optional<bool> went;
        client.async_send_text(text, [&](const auto& sent) { went = sent.has_value(); });
        desk.fake->run_until_idle();
        CHECK(went == true);
        CHECK(client.try_reconcile(text, desk.clock->now()));
        std::optional<bool> found;
        client.async_reconcile(text, desk.clock->now(),
                               [&](const auto& result) { found = result.has_value(); });
        desk.fake->run_until_idle();
        CHECK(found == true);
        CHECK(desk.clock->monotonic_now() == started);
    };
    send_all();  // nothing is known of the window
    desk.open_window();
    send_all();
    CHECK(desk.sent() == 4);
    CHECK(silent->request_count() == 0);
    // Where it is what goes, it is needed.
    desk.clock->advance(25h);
    const auto closed = client.try_send_text(text);
    REQUIRE_FALSE(closed);
    CHECK(closed.error().kind() == ErrorKind::timeout);
    CHECK(closed.error().effect() == Effect::none);
    CHECK(silent->request_count() > 0);
    CHECK(desk.sent() == 4);
}

TEST_CASE("a fallback that goes is looked up and checked in the asynchronous form, too") {
    const Desk desk;
    desk.close_window();
    const auto client = desk.client();
    const auto text = [&](std::string approval, TemplateVariables variables) {
        std::optional<Result<Message>> end;
        client.async_send_text({.to = customer,
                                .body = "Hello",
                                .fallback_content_sid = desk.add(std::move(approval)),
                                .fallback_variables = std::move(variables)},
                               [&](Result<Message> sent) { end.emplace(std::move(sent)); });
        CHECK_FALSE(end);
        desk.fake->run_until_idle();
        REQUIRE(end);
        return *end;
    };
    CHECK(code_of(text("approved", {})) == 21656);
    CHECK(code_of(text("pending", ann)) == 63016);
    CHECK(desk.sent() == 0);
    CHECK(desk.fake->request_count() == 4);
    const auto sent = text("approved", ann);
    REQUIRE(sent);
    CHECK(sent->sent_fallback);
    CHECK(desk.fake->request_count() == 7);
}

TEST_CASE("what happens while a fallback is looked up counts") {
    const Desk desk;
    desk.close_window();
    const auto client = desk.client();
    std::optional<Result<Message>> end;
    const auto send_while = [&](const auto& event) {
        end.reset();
        client.async_send_text({.to = customer,
                                .body = "Hello",
                                .fallback_content_sid = desk.add("approved"),
                                .fallback_variables = ann},
                               [&](Result<Message> sent) { end.emplace(std::move(sent)); });
        event();
        desk.fake->run_until_idle();
        REQUIRE(end);
    };
    send_while([&] { desk.open_window(); });
    REQUIRE(*end);
    CHECK_FALSE((*end)->sent_fallback);
    desk.clock->advance(25h);
    send_while(
        [&] { REQUIRE(desk.opt_outs->learn_error(FakeTwilio::demo_sender, customer, 21610)); });
    CHECK(code_of(*end) == 21610);
    CHECK(desk.sent() == 1);
}

TEST_CASE("a one-time code does not go to a user id") {
    const Desk desk;
    const auto sid = desk.add("approved", R"({"whatsapp/authentication": {"actions":
        [{"type": "COPY_CODE", "copy_code_text": "Copy"}]}})",
                              "AUTHENTICATION");
    const TemplateVariables code{{"1", "123456"}};
    const auto refused =
        desk.client().try_send_template({.to = user_id, .content_sid = sid, .variables = code});
    CHECK(refused.error().field() == "To");
    CHECK(refused.error().what() == containing("needs a phone number"));
    CHECK(code_of(desk.client().try_send_template(
              {.to = customer, .content_sid = sid, .variables = code})) == 0);
}

TEST_CASE("nothing is sent while a template cannot be looked up, and it is said") {
    const Desk desk;
    const auto client = desk.client();
    const auto sid = desk.add("approved");
    desk.fake->next_fault(Fault::black_hole);
    const auto failed = client.try_send_template(
        {.to = customer, .content_sid = sid, .variables = ann}, {.timeout = 5s});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().effect() == Effect::none);
    CHECK(failed.error().kind() == ErrorKind::timeout);
    CHECK(desk.sent() == 0);
    CHECK(client.try_send_template({.to = customer, .content_sid = sid, .variables = ann}));
    const auto unknown = client.try_send_template(
        {.to = customer, .content_sid = TextField("HX" + std::string(32, 'e'))});
    CHECK(unknown.error().kind() == ErrorKind::not_found);
    CHECK(desk.sent() == 1);
}

TEST_CASE("an asynchronous send fetches its template first, without blocking") {
    const Desk desk;
    auto client = std::make_optional(desk.client());
    const auto sid = desk.add("approved");
    std::vector<int> codes;
    const auto note = [&](const Result<Message>& sent) { codes.push_back(code_of(sent)); };
    client->async_send_template({.to = customer, .content_sid = sid, .variables = ann}, note);
    client->async_send_template({.to = customer, .content_sid = sid}, note);
    CHECK(codes.empty());
    desk.fake->run_until_idle();
    std::sort(codes.begin(), codes.end());
    CHECK(codes == std::vector<int>{0, 21656});
    // Known now.
    client->async_send_template({.to = customer, .content_sid = sid}, note);
    CHECK(codes.size() == 2);
    desk.fake->run_until_idle();
    CHECK(codes.back() == 21656);
    // A client that is gone sends nothing.
    const auto other = desk.add("approved");
    std::optional<Error> end;
    client->async_send_template({.to = customer, .content_sid = other, .variables = ann},
                                [&](const auto& sent) { end = sent.error(); });
    client.reset();
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::cancelled);
    desk.fake->run_until_idle();
    CHECK(desk.sent() == 1);
}

TEST_CASE("a send whose template is fetched first begins where it was called") {
    const Desk desk;
    const auto heard = std::make_shared<HeardCalls>();
    auto options = desk.options();
    options.templates = desk.templates();
    options.observer = heard;
    auto client = std::make_optional<MessagesClient>(desk.fake->credentials(), options);
    const auto sid = desk.add("approved");
    const CallOptions named{.correlation_id = "request-7"};
    const auto drop = [](const Result<Message>&) {};
    using Texts = std::vector<std::string>;
    SUBCASE("and is sent") {
        client->async_send_template({.to = customer, .content_sid = sid, .variables = ann}, drop,
                                    named);
        CHECK(heard->texts == Texts{"call 1 demo request-7"});
        desk.clock->advance(2s);
        desk.fake->run_until_idle();
        CHECK(heard->texts ==
              Texts{"call 1 demo request-7", "attempt 1", "result 1 after 2 s, 1 attempts: sent"});
    }
    SUBCASE("and does not fit it") {
        client->async_send_template({.to = customer, .content_sid = sid}, drop, named);
        CHECK(heard->texts == Texts{"call 1 demo request-7"});
        desk.clock->advance(2s);
        desk.fake->run_until_idle();
        CHECK(heard->texts ==
              Texts{"call 1 demo request-7", "result 1 after 2 s, 0 attempts: invalid_request"});
    }
    SUBCASE("and has no client any more") {
        client->async_send_template({.to = customer, .content_sid = sid, .variables = ann}, drop,
                                    named);
        client.reset();
        options.templates.reset();
        desk.fake->run_until_idle();
        CHECK(heard->texts ==
              Texts{"call 1 demo request-7", "result 1 after 0 s, 0 attempts: cancelled"});
    }
    SUBCASE("in the blocking form, too") {
        CHECK(
            client->try_send_template({.to = customer, .content_sid = sid}, named).error().code() ==
            21656);
        CHECK(heard->texts ==
              Texts{"call 1 demo request-7", "result 1 after 0 s, 0 attempts: invalid_request"});
    }
}

TEST_CASE("reconcile knows the text of a template by rendering it") {
    const Desk desk;
    const auto client = desk.client();
    const auto sid = desk.add("approved");
    const OutboundTemplate message{.to = customer, .content_sid = sid, .variables = ann};
    const auto when = desk.clock->now();
    desk.fake->next_fault(Fault::none, 2);  // the two look-ups
    desk.fake->next_fault(Fault::close_after);
    const auto lost = client.try_send_template(message);
    REQUIRE(lost.error().kind() == ErrorKind::outcome_unknown);
    // A first name alone is not distinctive: without the text it would be `possible`.
    const auto found = client.reconcile(message, when);
    CHECK(found.outcome == Reconciliation::Outcome::found);
    const MessagesClient plain{desk.fake->credentials(), desk.options()};
    CHECK(plain.reconcile(message, when).outcome == Reconciliation::Outcome::possible);
    std::optional<Reconciliation> later;
    client.async_reconcile(message, when, [&](const auto& result) { later = *result; });
    desk.fake->run_until_idle();
    REQUIRE(later);
    CHECK(later->outcome == Reconciliation::Outcome::found);
    const OutboundTemplate bob{.to = customer, .content_sid = sid, .variables = {{"1", "Bob"}}};
    CHECK(client.reconcile(bob, when).outcome != Reconciliation::Outcome::found);
}

}  // namespace send_with_templates_test
