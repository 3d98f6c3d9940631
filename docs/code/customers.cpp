// What docs/customers.md shows.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

wa::Secret customer_key() {
    return wa::Secret{"32 random bytes, kept like a password"};
}

// [observer]
class HandOvers final : public wa::Observer {
public:
    void on_number_changed_hands(const wa::NumberChangedHandsEvent& event) noexcept override {
        std::clog << "a number has another holder: " << event.number_key << '\n';
    }
};
// [observer]

// [part]
/// What a program keeps of its own, found and erased with the rest.
class Orders final : public wa::PersonalData {
public:
    std::string_view name() const noexcept override { return "orders"; }
    wa::Result<wa::Forgotten> forget(
        std::span<const wa::CustomerConversation> conversations) const override {
        wa::Forgotten forgotten;
        for (const auto& conversation : conversations) {
            for (const auto& linked : conversation.customer.addresses) {
                if (on_its_way(linked.address)) forgotten.not_yet = true;  // named in the report
            }
        }
        return forgotten;
    }
    wa::Result<std::string> export_of(std::span<const wa::CustomerConversation>) const override {
        return std::string("[]");
    }

private:
    static bool on_its_way(const wa::Address&) { return false; }
};
// [part]

}  // namespace

int main() {
    const auto fake =
        wa::testing::FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    const auto clock = fake->clock();
    const auto store = std::make_shared<wa::MemoryStore>();

    // [setup]
    const auto customers = std::make_shared<wa::Customers>(
        store, wa::CustomersOptions{.key = customer_key(),
                                    .brazil_ninth_digit = true,
                                    .observer = std::make_shared<HandOvers>(),
                                    .clock = clock});
    const auto window = std::make_shared<wa::ConversationWindow>(
        store, wa::ConversationWindowOptions{.clock = clock, .customers = customers});
    const auto opt_outs = std::make_shared<wa::OptOuts>(
        store, wa::OptOutOptions{.clock = clock, .customers = customers});

    wa::WebhookHandler handler{wa::RequestValidator{wa::testing::FakeTwilio::demo_auth_token},
                               {.public_url = wa::PublicUrl::fixed("https://example.com"),
                                .window = window,
                                .opt_outs = opt_outs,
                                .customers = customers,
                                .clock = clock}};
    auto options = fake->client_options();
    options.window = window;
    options.opt_outs = opt_outs;
    const wa::MessagesClient client{fake->credentials(), options};
    // [setup]
    fake->connect(handler);

    // [hidden]
    const auto lee = fake->customer("+447700900123").has_user_id("GB.4f1a");
    lee.stops();  // From is the number, ExternalUserId the id
    fake->run_until_idle();
    lee.hides_number().leaves_contact_book();

    const auto refused = client.try_send_text({.to = "whatsapp:GB.4f1a", .body = "News!"});
    expect(refused.error().code() == 21610);  // the STOP holds for the id

    fake->advance(1min);
    lee.starts_again();  // From is the id now
    fake->run_until_idle();
    expect(client.try_send_text({.to = "+447700900123", .body = "Welcome back"}).has_value());
    // [hidden]

    // [key]
    std::vector<std::string> keys;  // of the rows about this customer in a table of your own
    const auto who = customers->linked("+14155238886", "+447700900123").value();
    for (const auto& linked : who.addresses) {
        keys.push_back(customers->key(linked.address).value());
    }
    // [key]
    expect(keys.size() == 2);

    // [forget]
    const auto orders = std::make_shared<Orders>();
    customers->add_part(orders);  // asked as long as it lives

    const std::string copy = customers->export_of("+447700900123").value();  // JSON
    const wa::ForgetReport report = customers->forget("+447700900123").value();
    for (const auto& name : report.not_yet) std::clog << name << ": ask again later\n";
    // [forget]
    expect(report.complete());
    expect(copy.find("GB.4f1a") != std::string::npos);
    return 0;
}
