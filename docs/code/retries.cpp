// What docs/retries.md shows.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;
using wa::testing::Fault;

namespace {

// [reconcile]
enum class Fate { sent, not_sent, look_again_later };

Fate send_once(const wa::MessagesClient& client, const wa::OutboundText& text,
               wa::TimePoint attempted_at) {  // kept with the job, before the send
    const auto sent = client.try_send_text(text);
    if (sent) return Fate::sent;
    if (sent.error().effect() == wa::Effect::none) return Fate::not_sent;

    const auto looked = client.try_reconcile(text, attempted_at);
    if (looked && looked->outcome == wa::Reconciliation::Outcome::found) return Fate::sent;
    return Fate::look_again_later;  // not_found is no proof; the others are for a human
}
// [reconcile]

std::size_t found_of(const wa::MessagesClient& client, wa::TimePoint attempted_at) {
    // [reconcile_all]
    std::vector<wa::ReconcileItem> unknown;  // of your jobs
    for (const auto* to : {"+447700900125", "+447700900126", "+447700900127"}) {
        unknown.push_back({.message = wa::OutboundText{.to = to, .body = "Your order left"},
                           .attempted_at = attempted_at});
    }
    const auto looked = client.reconcile_all(unknown, {}, {.timeout = 2min});
    for (std::size_t i = 0; i < looked.size(); ++i) {
        if (looked[i] && looked[i]->outcome == wa::Reconciliation::Outcome::found) {
            std::printf("%s was sent\n", looked[i]->sids.front().str().c_str());
        }
    }
    // [reconcile_all]
    return static_cast<std::size_t>(std::count_if(
        looked.begin(), looked.end(),
        [](const auto& one) { return one && one->outcome == wa::Reconciliation::Outcome::found; }));
}

wa::ClientOptions policy(wa::ClientOptions options) {
    // [policy]
    options.timeout = 10s;  // a whole call, retries included
    options.retry.max_attempts = 2;
    options.rate_limiter = wa::token_bucket({.per_second = 80});
    // [policy]
    return options;
}

}  // namespace

int main() {
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), policy(fake->client_options())};
    const wa::OutboundText text{.to = "+447700900123", .body = "Hello"};

    fake->next_fault(Fault::close_after);  // carried out, and no answer
    if (send_once(client, text, fake->clock()->now()) != Fate::sent) return 1;
    if (fake->messages().size() != 1) return 1;

    fake->next_fault(Fault::black_hole);  // never looked at, and no answer
    if (send_once(client, {.to = "+447700900124", .body = "Hello"}, fake->clock()->now()) !=
        Fate::look_again_later) {
        return 1;
    }

    const auto before = fake->clock()->now();
    for (const auto* to : {"+447700900125", "+447700900127"}) {
        fake->next_fault(Fault::close_after);
        if (client.try_send_text({.to = to, .body = "Your order left"})) return 1;
    }
    return found_of(client, before) == 2 ? 0 : 1;
}
