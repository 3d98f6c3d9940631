// Usage: customer_state FILE|URL [KEY [OUTBOX CONSENTS]]. Makes the store of a service that knows
// one customer, and, where they are named, an outbox with a job and an event of theirs, what they
// have agreed to, and two dialogues that are under way.
#include <memory>
#include <string>
#include <vector>

#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#endif
#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_consents.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

static bool is_server(const std::string& name) {
    return name.starts_with("postgresql:");
}

static std::shared_ptr<wa::Store> store_of(const std::string& name) {
#ifdef WITH_POSTGRESQL
    if (is_server(name)) return std::make_shared<wa::PostgresStore>(name);
#endif
    return std::make_shared<wa::SqliteStore>(name);
}

static std::shared_ptr<wa::OutboxStorage> outbox_of(const std::string& name) {
#ifdef WITH_POSTGRESQL
    if (is_server(name)) return std::make_shared<wa::PostgresOutbox>(name);
#endif
    return std::make_shared<wa::SqliteOutbox>(name);
}

static std::shared_ptr<wa::ConsentStorage> consents_of(const std::string& name) {
#ifdef WITH_POSTGRESQL
    if (is_server(name)) return std::make_shared<wa::PostgresConsents>(name);
#endif
    return std::make_shared<wa::SqliteConsents>(name);
}

/// One job that nobody sends any more, and one event that was handled.
static void keep_messages(const std::string& name, const wa::Address& number) {
    const auto fake = wa::testing::FakeTwilio::with_account();
    fake->set_webhook(wa::testing::FakeTwilio::demo_sender, "https://a.example/whatsapp");
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    wa::Outbox outbox{outbox_of(name), {.client = [&](std::string_view) { return client; }}};
    const auto job = outbox.enqueue(
        wa::OutboundText{.to = std::string{number.phone_number()}, .body = "The order of the day"},
        {.key = "order-17"});
    outbox.cancel(job.id);
    wa::WebhookOptions options;
    options.public_url = wa::PublicUrl::fixed("https://a.example");
    const auto inbox = std::make_shared<wa::DurableInbox>(outbox);
    options.inbox = inbox;
    wa::WebhookHandler handler{
        wa::RequestValidator{std::string{wa::testing::FakeTwilio::demo_auth_token}}, options};
    handler.on_message([](const wa::InboundMessage&) {});
    fake->on_webhook([&](const std::string&, const wa::WebhookRequest& request) {
        return handler.handle(request);
    });
    fake->customer(std::string{number.phone_number()}).sends_text("A question");
    fake->run_until_idle();
    inbox->run_until_idle();
}

/// A dialogue that has asked a customer for a size.
static void keep_dialogue(const std::shared_ptr<wa::Store>& store,
                          const std::shared_ptr<wa::Customers>& customers, const std::string& name,
                          const wa::Address& number) {
    wa::Dialogue dialogue{store, {.name = name, .from = "+14155238886", .customers = customers}};
    dialogue.first("size", [](wa::DialogueTurn&) {});
    dialogue.begin(number.wire(), "size", {{"named", "in the dialogue " + name}});
}

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const auto store = store_of(argv[1]);
    const auto customers = std::make_shared<wa::Customers>(
        store, wa::CustomersOptions{.key = wa::Secret{argc > 2 ? argv[2] : ""}});
    const wa::ConversationWindow window{store, {.customers = customers}};
    const wa::OptOuts opt_outs{store, {.customers = customers}};
    const auto sender = wa::Sender::parse("+14155238886").value();
    const auto number = wa::Address::parse("+447700900123").value();
    const auto id = wa::Address::parse("whatsapp:GB.4f1a77").value();
    const std::vector<wa::Address> addresses{number, id};
    // So that a key is there, where it is the store that keeps it.
    customers->key(number).value();
    window.record_inbound(sender, number).value();
    opt_outs.opt_out(sender, id).value();
    customers->learn(sender, addresses).value();
    if (argc < 5) return 0;
    keep_messages(argv[3], number);
    for (const auto* const name : {"dialogue", "returns"}) {
        keep_dialogue(store, customers, name, number);
    }
    const wa::Consents consents{consents_of(argv[4]), customers};
    consents
        .grant(sender, number,
               {.purpose = "news", .at = wa::system_clock()->now(), .source = "said so"})
        .value();
}
