#include "shop.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include <twiliowa/content_client.hpp>
#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_limiter.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/state/private_store.hpp>
#include <twiliowa/templates.hpp>

namespace shop {

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

std::chrono::hours days(const char* name, const char* otherwise) {
    return std::chrono::hours{24 * number_setting(name, otherwise)};
}

wa::PriceTable read_prices() {
    std::ifstream file{setting("SHOP_PRICES")};
    std::stringstream text;
    if (!(text << file.rdbuf())) wa::Error::invalid_request("SHOP_PRICES", "is no file").raise();
    return wa::PriceTable::from_csv(text.str()).value();
}

/// The key that hashes, for good.
std::string oldest_key() {
    return wa::KeyRing::from_file(setting("SHOP_KEYS")).ids().back();
}

/// No number in its keys, and none in its values.
std::shared_ptr<wa::Store> open_store(const wa::Sealer& sealer) {
    auto database = std::make_shared<wa::PostgresStore>(
        setting("SHOP_DATABASE"), wa::PostgresStoreOptions{.max_entry_bytes = 8'192});
    auto sealed = std::make_shared<wa::SealedStore>(std::move(database), sealer);
    return std::make_shared<wa::HashedStore>(std::move(sealed), sealer, oldest_key());
}

wa::ClientOptions make_client_options(const Shop& shop) {
    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter = std::make_shared<wa::PostgresLimiter>(
        setting("SHOP_DATABASE"),
        wa::PostgresLimiterOptions{
            .per_second = static_cast<double>(number_setting("SHOP_PER_SECOND", "80")),
            .sealer = shop.sealer,
            .key_id = oldest_key(),
            .observer = shop.observer});
    options.window = shop.window;
    options.unknown_window = wa::UnknownWindow::refuse;
    options.opt_outs = shop.opt_outs;
    options.observer = shop.observer;
    options.templates =
        std::make_shared<wa::Templates>(wa::ContentClient{shop.credentials, options});
    return options;
}

std::shared_ptr<const wa::SendingRules> make_rules(const Shop& shop) {
    const auto hours = wa::AllowedHours::parse(setting("SHOP_HOURS", "08:00-20:00"), "SHOP_HOURS");
    wa::SendingRulesOptions rules{
        .consents = shop.consents,
        .marketing_needs_consent = true,
        .opt_outs = shop.opt_outs,
        .window = shop.window,
        .templates = shop.client_options.templates,
        // The thanks for an order go at any time: who orders is awake.
        .quiet_hours =
            wa::QuietHoursOptions{.week = wa::QuietHoursOptions::every_day(hours.value()),
                                  .exempt = {wa::Lane::high},
                                  .unknown_zone = wa::UnknownZone::assume,
                                  .assumed_zone = setting("SHOP_TIME_ZONE", "Europe/London")},
        .prices = read_prices(),
        .observer = shop.observer};
    if (const auto month = setting("SHOP_MONTH_BUDGET", ""); !month.empty()) {
        const auto currency = rules.prices.currencies().at(0);
        rules.budget = {{.limit = wa::Money::parse(month, currency, "SHOP_MONTH_BUDGET").value()}};
    }
    return std::make_shared<wa::SendingRules>(std::move(rules));
}

wa::OutboxOptions make_outbox_options(const Shop& shop) {
    const wa::MessagesClient client{shop.credentials, shop.client_options};
    return {.client = [client](std::string_view) { return client; },
            .status_callback =
                shop.public_url.webhook_url(twilio_path, {.retries = 5, .retry_on = "all"}),
            .send_timeout = 15s,
            .payload_kept = days("SHOP_MESSAGE_DAYS", "7"),
            .jobs_kept = days("SHOP_JOB_DAYS", "30"),
            .sealer = shop.sealer,
            .gate = shop.rules,
            .customers = shop.customers};
}

}  // namespace

std::string setting(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') value = otherwise;
    if (value == nullptr) wa::Error::invalid_request(name, "is not set").raise();
    return value;
}

int number_setting(const char* name, const char* otherwise) {
    const auto text = setting(name, otherwise);
    char* end = nullptr;
    const long number = std::strtol(text.c_str(), &end, 10);
    if (*end != '\0' || number < 1 || number > 65'535) {
        wa::Error::invalid_request(name, "is no number between 1 and 65535").raise();
    }
    return static_cast<int>(number);
}

Shop::Shop()
    : sealer([] { return wa::KeyRing::try_from_file(setting("SHOP_KEYS")); }),
      log(std::make_shared<Log>(sealer)),
      metrics(std::make_shared<wa::MetricsObserver>()),
      observer(std::make_shared<wa::CompositeObserver>(
          std::vector<std::shared_ptr<wa::Observer>>{metrics, log})),
      sender(setting("TWILIO_WHATSAPP_NUMBER")),
      country(setting("SHOP_COUNTRY", "GB")),
      notifications({.sender = sender,
                     .sms_sender = setting("SHOP_SMS_NUMBER", ""),
                     .country = country,
                     .confirmation_template = setting("SHOP_CONFIRMATION_TEMPLATE"),
                     .status_template = setting("SHOP_STATUS_TEMPLATE"),
                     .promotion_template = setting("SHOP_PROMOTION_TEMPLATE")}),
      public_url(wa::PublicUrl::fixed(setting("SHOP_PUBLIC_URL"))),
      store(open_store(sealer)),
      customers(std::make_shared<wa::Customers>(
          store, wa::CustomersOptions{.key = wa::Secret{setting("SHOP_CUSTOMER_KEY")},
                                      .observer = observer})),
      consents(std::make_shared<wa::Consents>(
          std::make_shared<wa::PostgresConsents>(setting("SHOP_DATABASE")), customers,
          wa::ConsentsOptions{.sealer = sealer})),
      opt_outs(std::make_shared<wa::OptOuts>(
          store, wa::OptOutOptions{.customers = customers, .consents = consents})),
      window(std::make_shared<wa::ConversationWindow>(
          store, wa::ConversationWindowOptions{.customers = customers})),
      credentials(wa::Credentials::from_environment()),
      client_options(make_client_options(*this)),
      rules(make_rules(*this)),
      outbox(std::make_shared<wa::PostgresOutbox>(setting("SHOP_DATABASE")),
             make_outbox_options(*this)),
      campaigns(outbox, rules),
      source_(metrics->add_source([this](wa::MetricSamples& samples) {
          add_samples(samples, outbox);
          add_samples(samples, campaigns);
          add_own_samples(samples);
      })) {
    outbox.on_outcome([this](const wa::JobOutcome& outcome) { log->outcome(outcome); });
}

wa::Money Shop::spent_this_month() {
    const auto today = std::chrono::floor<std::chrono::days>(outbox.counts().now);
    const std::chrono::year_month_day date{today};
    const std::chrono::sys_days month{date.year() / date.month() / 1};
    wa::Money sum;
    for (const auto& row : wa::spend_by_day(outbox, month, today + std::chrono::days{1}).value()) {
        sum = sum.plus(row.spend).value();
    }
    return sum;
}

std::optional<wa::Money> Shop::month_budget() const {
    const auto& budgets = rules->options().budget;
    return budgets.empty() ? std::optional<wa::Money>{} : budgets.front().limit;
}

void Shop::add_own_samples(wa::MetricSamples& samples) {
    const auto spent = static_cast<double>(spent_this_month().micros());
    samples.gauge("shop_spent_this_month", "In the currency of the prices.", spent / 1e6);
    if (const auto budget = month_budget()) {
        samples.gauge("shop_budget_used_ratio", "Of the month's budget.",
                      spent / static_cast<double>(budget->micros()));
    }
}

}  // namespace shop
