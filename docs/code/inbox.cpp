// What docs/inbox.md shows.
#include <sqlite3.h>

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/outbox/dedup_inbox.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

std::string answer_of_a_model(const std::string& question) {
    return "You asked: " + question;
}

// [start]
struct Bot {
    Bot(const std::string& auth_token, const wa::MessagesClient& client)
        : outbox{std::make_shared<wa::SqliteOutbox>("bot.db"),
                 {.client = [=](std::string_view) { return client; },
                  .status_callback = "https://bot.example.com/hook#rc=5&rp=all"}},
          inbox{std::make_shared<wa::DurableInbox>(outbox, wa::InboxOptions{.clients = {client}})},
          handler{wa::RequestValidator{auth_token},
                  {.public_url = wa::PublicUrl::fixed("https://bot.example.com"), .inbox = inbox}} {
        handler.on_text([](const wa::InboundMessage& message) {
            return wa::MessagingResponse{answer_of_a_model(message.body)};
        });
        outbox.start();
        inbox->start();  // after the handlers were added
    }
    // What comes in goes to handler.handle(request), as without an inbox.
    std::string url_for_twilio() const { return handler.webhook_url("/hook"); }

    wa::Outbox outbox;
    std::shared_ptr<wa::DurableInbox> inbox;
    wa::WebhookHandler handler;
};
// [start]

// [statuses]
/// For the URL that OutboxOptions::status_callback names then.
wa::WebhookHandler statuses_of(wa::Outbox& outbox, const std::string& auth_token,
                               std::shared_ptr<wa::DedupStore> dedup) {
    wa::WebhookHandler statuses{
        wa::RequestValidator{auth_token},
        {.public_url = wa::PublicUrl::fixed("https://bot.example.com"), .dedup = std::move(dedup)}};
    statuses.on_status([&](const wa::StatusCallback& callback) { outbox.learn(callback); });
    return statuses;
}
// [statuses]

// [memory]
/// For WebhookOptions::inbox. `redis` is a RedisStore that the processes share.
std::shared_ptr<wa::DedupInbox> behind_a_memory(std::shared_ptr<wa::DurableInbox> inbox,
                                                std::shared_ptr<wa::Store> redis) {
    return std::make_shared<wa::DedupInbox>(
        std::move(inbox), wa::DedupStore{std::move(redis), {.lease = 10s, .kept = 1h}},
        wa::DedupInboxOptions{.on_change = [](const wa::Error* problem) {
            std::cerr << (problem == nullptr ? "the memory answers" : problem->what()) << '\n';
        }});
}
// [memory]

// [turn]
void take_orders(wa::WebhookHandler& bot) {
    bot.on(wa::inbound::button("order"), [](wa::Turn& turn) {
        const auto& message = turn.message();
        turn.reply("It is ordered.");
        turn.enqueue(wa::OutboundText{.to = "+447700900999", .body = "A new order"});
        turn.at_commit([sid = message.sid.str()](const wa::NativeTransaction& transaction) {
            sqlite3_stmt* row = nullptr;
            sqlite3_prepare_v2(transaction.sqlite, "insert into shop_order (number) values (?)", -1,
                               &row, nullptr);
            sqlite3_bind_text(row, 1, sid.data(), static_cast<int>(sid.size()), SQLITE_STATIC);
            const bool written = sqlite3_step(row) == SQLITE_DONE;
            sqlite3_finalize(row);
            if (!written) throw std::runtime_error{"the order was not written"};
        });
    });
}
// [turn]

/// Who has an account of their own, on a platform.
struct Tenant {
    bool active = true;
    std::optional<wa::Secret> token = {};
};
class Tenants {
public:
    virtual ~Tenants() = default;
    virtual std::optional<Tenant> find(std::string_view account_sid) const = 0;
    virtual std::vector<wa::MessagesClient> clients() const = 0;
};

// [accounts]
/// What a platform says of its tenants' accounts; `tenants` keeps what it has read for a second.
wa::InboxOptions options_of(std::shared_ptr<const Tenants> tenants) {
    wa::InboxOptions options;
    options.max_waiting_per_account = 10'000;
    options.workers_per_account = 2;
    options.account = [tenants](std::string_view account_sid) {
        const auto tenant = tenants->find(account_sid);  // throws if the database is away: not_now
        if (!tenant) return wa::InboxAccount::unknown;
        if (!tenant->active) return wa::InboxAccount::switched_off;
        return tenant->token ? wa::InboxAccount::here : wa::InboxAccount::not_now;
    };
    options.clients = [tenants] { return tenants->clients(); };
    return options;
}
// [accounts]

// [dead]
void look_after(wa::DurableInbox& inbox) {
    for (const auto& event : inbox.list({.state = wa::InboxState::dead})) {
        std::printf("%s: %s\n", event.message_sid.c_str(), event.problem.c_str());
        inbox.retry(event.sequence);  // or drop: nobody handles it
    }
}
// [dead]

// [test]
bool answers_once() {
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    wa::Outbox outbox{std::make_shared<wa::testing::MemoryOutbox>(),
                      {.client = [&](std::string_view) { return client; }}};
    const auto inbox = std::make_shared<wa::DurableInbox>(outbox);
    wa::WebhookHandler handler{
        wa::RequestValidator{std::string{wa::testing::FakeTwilio::demo_auth_token}},
        {.public_url = wa::PublicUrl::fixed("https://example.com"), .inbox = inbox}};
    handler.on_text([](const wa::InboundMessage&) { return wa::MessagingResponse{"Thank you"}; });
    fake->connect(handler);
    fake->customer("+447700900123").sends_text("Hello");
    fake->run_until_idle();   // the webhook is written down
    inbox->run_until_idle();  // and handled
    outbox.run_until_idle();  // and answered
    return fake->messages().front().body == "Thank you";
}
// [test]

}  // namespace

int main() {
    static_cast<void>(&take_orders);
    static_cast<void>(&statuses_of);
    static_cast<void>(&behind_a_memory);
    static_cast<void>(&look_after);
    static_cast<void>(&options_of);
    return answers_once() ? 0 : 1;
}
