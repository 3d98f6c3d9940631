// What docs/quotas.md shows.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/check_quota_storage.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

/// What a web framework would have.
struct Response {
    int status = 200;
    std::string body = {};
    std::string retry_after = {};
};

// [observer]
class Bell final : public wa::Observer {
public:
    void on_quota_level(const wa::QuotaLevelEvent& event) noexcept override {
        std::clog << event.quota << " has used " << event.percent << " % of its " << event.window
                  << '\n';
        ++rung;
    }
    int rung = 0;
};
// [observer]

// [send]
/// POST /send of a tenant; `request_id` is the same when a request is repeated.
Response send(const wa::Quotas& quotas, const wa::MessagesClient& client, const std::string& tenant,
              const std::string& request_id, const wa::OutboundText& text) {
    const auto sent = wa::send_within(quotas, {.quota = tenant, .send = request_id, .cost = 1},
                                      [&] { return client.try_send_text(text); });
    if (sent) return {200, sent->sid.str()};
    const auto& error = sent.error();
    if (const int status = wa::quota_http_status(error); status != 0) {  // 402 or 429
        const auto seconds =
            std::chrono::ceil<std::chrono::seconds>(error.retry_after().value_or(0s));
        return {status, error.what(), status == 429 ? std::to_string(seconds.count()) : ""};
    }
    return {wa::is_store_error(error) ? 503 : 502, error.what()};
}
// [send]

/// The model's answer is paid by its tokens, which are known when it has been given.
int answer_of_model() {
    return 820;
}

}  // namespace

int main() {
    const auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    const auto storage = std::make_shared<wa::MemoryQuotas>();
    const auto bell = std::make_shared<Bell>();
    // [quotas]
    const wa::Quotas quotas{
        storage,
        {.windows = {wa::QuotaWindow::per_minute(30), wa::QuotaWindow::per_month(10'000)},
         .observer = bell}};
    // [quotas]
    expect(send(quotas, client, "org-17", "r1", {.to = "+447700900123", .body = "Hello"}).status ==
           200);
    expect(quotas.read("org-17").value()[1].used == 1);
    expect(send(quotas, client, "org-17", "r2", {.to = "nobody", .body = "Hello"}).status == 502);
    expect(quotas.read("org-17").value()[1].used == 1);

    // [plans]
    wa::QuotasOptions options;
    options.windows_of = [](std::string_view tenant) -> wa::Result<std::vector<wa::QuotaWindow>> {
        const bool is_small = tenant != "org-17";
        return std::vector{wa::QuotaWindow::per_minute(30),
                           wa::QuotaWindow::per_month(is_small ? 1'000 : 50'000)};
    };
    const wa::Quotas tokens{storage, options};
    // [plans]
    options.windows_of = {};
    options.windows = {wa::QuotaWindow::per_month(10'000)};
    options.observer = bell;
    const wa::Quotas paid{std::make_shared<wa::MemoryQuotas>(), options};
    // [tokens]
    const wa::QuotaCharge charge{.quota = "org-17", .send = "turn-4711", .cost = 4'000};
    const auto answer = paid.reserve(charge).value();
    if (!answer.granted) return answer.http_status();
    const int used = answer_of_model();
    paid.settle(charge, wa::QuotaAmount::thousandths(used * 1'200LL)).value();  // times 1.2
    // [tokens]
    const auto tenant = std::string{"org-17"};
    // [read]
    for (const auto& state : paid.read(tenant).value()) {
        std::cout << state.left.text() << " of " << state.window.limit.text() << " left this "
                  << state.window.name() << '\n';
    }
    const auto now = wa::system_clock()->now();
    for (const auto& day : paid.usage_by_day(tenant, now - 24h * 30, now).value()) {
        std::cout << day.used.text() << '\n';
    }
    // [read]
    expect(paid.read(tenant).value()[0].used.text() == "984");
    // [check]
    const auto faults = wa::testing::check_quota_storage([&] { return storage; });
    for (const auto& fault : faults) std::cerr << fault << '\n';
    // [check]
    expect(faults.empty());
    expect(paid.reserve({.quota = "org-17", .send = "large", .cost = 9'000}).value().granted);
    expect(bell->rung == 1);
    return 0;
}
