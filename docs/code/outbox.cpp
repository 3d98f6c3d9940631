// What docs/outbox.md shows.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

// [start]
void serve(const wa::MessagesClient& client) {
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>("outbox.db"),
                      {.client = [=](std::string_view) { return client; },
                       .status_callback = "https://shop.example/status#rc=5&rp=all"}};
    outbox.on_outcome([](const wa::JobOutcome& outcome) {
        std::printf("%s: %s\n", outcome.job.key.c_str(), to_string(outcome.outcome).data());
    });
    outbox.start();
    outbox.enqueue(wa::OutboundTemplate{.to = "+447700900123",
                                        .content_sid = "HX00000000000000000000000000000001",
                                        .variables = {{"1", "Lee"}, {"2", "A-1042"}}},
                   {.key = "shipped-A-1042"});  // again: the same job, and no second message
}
// [start]

// [webhook]
void learn_from(wa::WebhookHandler& handler, wa::Outbox& outbox) {
    handler.on_status([&](const wa::StatusCallback& callback) { outbox.learn(callback); });
}
// [webhook]

// [policies]
void hand_over(wa::Outbox& outbox, const wa::OutboundMessage& receipt,
               const wa::OutboundMessage& alarm, const wa::OutboundMessage& code) {
    outbox.enqueue(receipt, {.key = "receipt-17"});  // hold: at most once, never lost
    outbox.enqueue(alarm, {.key = "alarm-4", .on_unknown = wa::OnUnknown::resend_after(1h)});
    outbox.enqueue(code, {.key = "code-88",
                          .expires_at = wa::system_clock()->now() + 10min,
                          .lane = wa::Lane::urgent,
                          .on_unknown = wa::OnUnknown::drop(10min)});
}
// [policies]

// [chain]
void remind(wa::Outbox& outbox) {
    outbox.enqueue(
        wa::OutboundText{.to = "+447700900123", .body = "See you at nine?"},
        {.key = "visit-17",
         .fallbacks = {
             {.message = wa::OutboundTemplate{.content_sid = "HX00000000000000000000000000000001",
                                              .variables = {{"1", "Lee"}, {"2", "nine"}}},
              .when = wa::FallbackWhen::window_closed},
             {.message =
                  wa::OutboundText{.body = "See you at nine?", .from = "sms:+15005550006"}}}});
}
// [chain]

// [code]
void send_code(wa::Outbox& outbox, const wa::OutboundMessage& code, std::string_view digits) {
    outbox.enqueue(code, {.key = "code-88",
                          .expires_at = wa::system_clock()->now() + 10min,
                          .lane = wa::Lane::urgent,
                          .on_unknown = wa::OnUnknown::drop(10min),
                          .fallbacks = {{.message = wa::OutboundText{.body = std::string{digits},
                                                                     .from = "sms:+15005550006"},
                                         .after_may_reach_twice = 30s}}});
}
// [code]

// [transaction]
wa::EnqueuedJob order(sqlite3* shop, wa::Outbox& outbox) {  // a connection to outbox.db
    sqlite3_exec(shop, "begin immediate", nullptr, nullptr, nullptr);
    sqlite3_exec(shop, "insert into shop_order (number) values ('A-1042')", nullptr, nullptr,
                 nullptr);
    const auto job = wa::try_enqueue_in(
        shop, outbox, wa::OutboundText{.to = "+447700900123", .body = "Thank you"},
        {.key = "thanks-A-1042"});
    // A key that is known is an answer, and no refusal ends the transaction.
    sqlite3_exec(shop, job ? "commit" : "rollback", nullptr, nullptr, nullptr);
    return job.value();
}
// [transaction]

// [sealed_row]
void insert_sealed(sqlite3* shop, const wa::Sealer& sealer) {
    const auto row = sealer.blind_index("0:invoice-17", "outbox key").value();
    const auto sealed = sealer.seal(
        R"({"key": "invoice-17", "message": {"to": "+447700900123", "body": "Thank you"}})",
        "outbox row 0:" + row);
    const auto sql = "insert into outbox_message (key, payload) values ('" + row +
                     R"(', '{"sealed": ")" + sealed.value() + R"("}'))";
    sqlite3_exec(shop, sql.c_str(), nullptr, nullptr, nullptr);
}
// [sealed_row]

// [decide]
void decide(wa::Outbox& outbox) {
    for (const auto& job : outbox.list({.state = wa::JobState::held})) {
        std::printf("%s: %s\n", job.key.c_str(), job.problem.c_str());
        // Having looked in Twilio's console:
        outbox.resolve(job.id, wa::Resolution::not_sent());
    }
}
// [decide]

// [quotas]
void serve_tenants(const wa::MessagesClient& client, const wa::OutboundMessage& message) {
    wa::QuotasOptions plans;
    plans.windows_of = [](std::string_view) -> wa::Result<std::vector<wa::QuotaWindow>> {
        return std::vector{wa::QuotaWindow::per_minute(30), wa::QuotaWindow::per_month(10'000)};
    };
    wa::Outbox outbox{
        std::make_shared<wa::SqliteOutbox>("outbox.db"),
        {.client = [=](std::string_view) { return client; }, .quotas = std::move(plans)}};
    outbox.start();
    outbox.enqueue(message, {.key = "code-88", .quota = "org-17"});
    for (const auto& state : outbox.try_quota("org-17").value()) {
        std::printf("%s left this %s\n", state.left.text().c_str(), state.window.name().c_str());
    }
    outbox.try_resume_quota("org-17").value();  // it has taken a larger plan
}
// [quotas]

// [test]
bool ships_once() {
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    wa::Outbox outbox{std::make_shared<wa::testing::MemoryOutbox>(),
                      {.client = [&](std::string_view) { return client; }}};
    const wa::OutboundText shipped{.to = "+447700900123", .body = "On its way"};
    outbox.enqueue(shipped, {.key = "shipped-A-1042"});
    outbox.enqueue(shipped, {.key = "shipped-A-1042"});
    outbox.run_until_idle();
    return fake->messages().size() == 1 &&
           outbox.find("", "shipped-A-1042")->state == wa::JobState::accepted;
}
// [test]

bool takes_sealed_row(const std::string& path) {
    const wa::Sealer sealer{wa::KeyRing::parse(wa::KeyRing::new_key("k1").reveal())};
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(path),
                      {.client = [&](std::string_view) { return client; },
                       .refuse_unsealed_rows = true,
                       .sealer = sealer}};
    sqlite3* shop = nullptr;
    if (sqlite3_open(path.c_str(), &shop) != SQLITE_OK) return false;
    insert_sealed(shop, sealer);
    sqlite3_close(shop);
    outbox.run_until_idle();
    return fake->messages().size() == 1 &&
           outbox.find("", "invoice-17")->state == wa::JobState::accepted;
}

}  // namespace

int main() {
    static_cast<void>(serve);
    static_cast<void>(learn_from);
    static_cast<void>(hand_over);
    static_cast<void>(remind);
    static_cast<void>(send_code);
    static_cast<void>(order);
    static_cast<void>(decide);
    static_cast<void>(serve_tenants);
    auto directory = (std::filesystem::temp_directory_path() / "twiliowa_docs_XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    const bool works = ships_once() && takes_sealed_row(directory + "/outbox.db");
    std::filesystem::remove_all(directory);
    return works ? 0 : 1;
}
