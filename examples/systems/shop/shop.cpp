#include "shop.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <twiliowa/content_client.hpp>
#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_limiter.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#include <twiliowa/templates.hpp>

#include "support/costs.hpp"
#include "support/jobs.hpp"
#include "support/keys.hpp"
#include "support/settings.hpp"

namespace shop {

namespace wa = twiliowa;
using support::number_setting;
using support::setting;
using namespace std::chrono_literals;

namespace {

std::chrono::hours days(const char* name, const char* otherwise) {
    return std::chrono::hours{24 * number_setting(name, otherwise)};
}

std::shared_ptr<wa::Store> open_store(const wa::Sealer& sealer) {
    auto database = std::make_shared<wa::PostgresStore>(
        setting("SHOP_DATABASE"), wa::PostgresStoreOptions{.max_entry_bytes = 8'192});
    return support::private_store(std::move(database), sealer, setting("SHOP_KEYS"));
}

wa::ClientOptions make_client_options(const Shop& shop) {
    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter = std::make_shared<wa::PostgresLimiter>(
        setting("SHOP_DATABASE"),
        wa::PostgresLimiterOptions{
            .per_second = static_cast<double>(number_setting("SHOP_PER_SECOND", "80")),
            .sealer = shop.sealer,
            .key_id = support::oldest_key(setting("SHOP_KEYS")),
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
        .observer = shop.observer};
    support::add_costs(rules, "SHOP_PRICES", "SHOP_MONTH_BUDGET");
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
            .customers = shop.customers,
            .observer = shop.observer};
}

}  // namespace

Shop::Shop()
    : sealer(support::open_sealer(setting("SHOP_KEYS"))),
      log(sealer),
      metrics(std::make_shared<wa::MetricsObserver>()),
      observer(log.observer_with(metrics)),
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
          support::add_budget_samples(samples, "shop", *rules, outbox);
      })) {
    outbox.on_outcome([this](const wa::JobOutcome& outcome) { support::log_sent(log, outcome); });
}

}  // namespace shop
