#include "api.hpp"

#include <chrono>
#include <cstdio>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>
#include <twiliowa/types/error.hpp>

#include "support/jobs.hpp"
#include "support/members.hpp"
#include "support/settings.hpp"

namespace shop {

namespace wa = twiliowa;
using nlohmann::json;
using Shown = support::Json;
using support::Answer;
using support::Call;

namespace {

Shown view_of(const wa::Job& job) {
    Shown view{{"id", job.id.str()}, {"about", job.tag}, {"campaign", job.campaign}};
    view.update(support::view_of(job));
    return view;
}

std::string date_of(wa::TimePoint time) {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
    return text;
}

void serve_notifications(support::Api& api, Shop& shop) {
    // What is repeated, under the same Idempotency-Key or, without one, about the same order, is
    // answered as it was.
    const auto hand_over = [&shop](const char* kind,
                                   wa::NewJob (Notifications::*make)(const json&) const) {
        return [&shop, kind, make](const Call& call) -> Answer {
            auto job = (shop.notifications.*make)(call.object());
            job.options.key = call.job_key(kind, job.options.key);
            const auto taken = shop.outbox.enqueue(job.message, job.options);
            return {.status = 202,
                    .body = {{"id", taken.id.str()}},
                    .recipient = shop.log.hash(job.message.to)};
        };
    };
    api.on("POST", "/orders/confirmation", hand_over("confirmation", &Notifications::confirmation));
    api.on("POST", "/orders/status", hand_over("status", &Notifications::status));
    api.on("POST", "/promotions", hand_over("promotion", &Notifications::promotion));
    api.on("GET", "/messages/([^/]+)", [&shop](const Call& call) -> Answer {
        const auto job = support::find_job(shop.outbox, call.name);
        auto view = view_of(job);
        view["steps"] = Shown::array();
        // What has followed it: a template, an SMS.
        for (const auto& step : shop.outbox.steps_after(job.id)) {
            view["steps"].push_back(view_of(step));
            view["steps"].back()["by"] = step.key.substr(step.key.rfind('/') + 1);
        }
        return {.body = view};
    });
}

void serve_customers(support::Api& api, Shop& shop) {
    api.on("POST", "/consents", [&shop](const Call& call) -> Answer {
        const auto body = call.object();
        const auto to = shop.notifications.recipient(body);
        const auto source = body.value("source", "");
        if (source.empty()) {
            wa::Error::invalid_request("source", "is missing: how is it known?").raise();
        }
        const auto purpose = body.value("purpose", std::string{wa::consent_purpose::marketing});
        wa::Consent consent{.purpose = purpose, .source = source};
        if (body.contains("at")) consent.at = wa::Consent::parse_time(body.value("at", "")).value();
        shop.consents->grant(shop.sender, to, consent).value();
        return {.body = {{"agreed_to", purpose}}, .recipient = shop.log.hash(to)};
    });
    api.on("POST", "/consents/withdraw", [&shop](const Call& call) -> Answer {
        const auto body = call.object();
        const auto to = shop.notifications.recipient(body);
        shop.consents->withdraw(shop.sender, to, "", {}, body.value("source", "")).value();
        return {.body = {{"agreed_to", nullptr}}, .recipient = shop.log.hash(to)};
    });
    api.on("POST", "/customers/export", [&shop](const Call& call) -> Answer {
        const auto to = shop.notifications.recipient(call.object());
        return {.recipient = shop.log.hash(to), .text = shop.customers->export_of(to).value()};
    });
    api.on("POST", "/customers/forget", [&shop](const Call& call) -> Answer {
        const auto to = shop.notifications.recipient(call.object());
        const auto report = shop.customers->forget(to).value();
        const Shown view{{"complete", report.complete()},
                         {"erased", report.erased},
                         {"kept", report.kept},
                         {"not_yet", report.not_yet}};
        return {.body = view, .recipient = shop.log.hash(to)};
    });
}

void serve_campaigns(support::Api& api, Shop& shop) {
    auto& campaigns = shop.campaigns;
    api.on("POST", "/campaigns", [&shop](const Call& call) -> Answer {
        auto read = wa::CampaignDefinition::from_json(call.body);
        // That all of it is wrong does not mean that there is no such campaign.
        if (!read && read.error().field() == "campaign") {
            return support::refuse(400, "body", read.error().data().summary);
        }
        auto definition = std::move(read).value();
        for (auto& variant : definition.variants) {
            if (variant.message.from.empty()) variant.message.from = shop.sender;
        }
        shop.campaigns.create(definition);
        return {.status = 201, .text = shop.campaigns.progress(definition.id).to_json()};
    });
    api.on("GET", "/campaigns", [&campaigns](const Call&) -> Answer {
        auto all = Shown::array();
        for (const auto& each : campaigns.list()) all.push_back(Shown::parse(each.to_json()));
        return {.body = all};
    });
    api.on("POST", "/campaigns/([^/]+)/recipients", [&shop](const Call& call) -> Answer {
        std::istringstream csv{std::string{call.body}};
        return {.text =
                    shop.campaigns.add_csv(call.name, csv, {.country = shop.country}).to_json()};
    });
    api.on("GET", "/campaigns/([^/]+)/check", [&campaigns](const Call& call) -> Answer {
        return {.text = campaigns.check(call.name).to_json()};
    });
    api.on("GET", "/campaigns/([^/]+)/report", [&campaigns](const Call& call) -> Answer {
        std::ostringstream csv;
        campaigns.report_csv(call.name, csv);
        return {.text = csv.str(), .type = "text/csv"};
    });
    const auto decide = [&](const std::string& verb, auto decision) {
        api.on("POST", "/campaigns/([^/]+)/" + verb,
               [&campaigns, decision](const Call& call) -> Answer {
                   decision(campaigns, call.name);
                   return {.text = campaigns.progress(call.name).to_json()};
               });
    };
    decide("start", [](auto& all, const auto& id) { all.start(id); });
    decide("pause", [](auto& all, const auto& id) { all.pause(id, "by the back end"); });
    decide("resume", [](auto& all, const auto& id) { all.resume(id); });
    decide("cancel", [](auto& all, const auto& id) { all.cancel(id); });
    api.on("GET", "/campaigns/([^/]+)", [&campaigns](const Call& call) -> Answer {
        return {.text = campaigns.progress(call.name).to_json()};
    });
}

void serve_people(support::Api& api, Shop& shop) {
    // What nobody can know, and what failed for a reason that somebody can mend.
    api.on("GET", "/attention", [&shop](const Call&) -> Answer {
        return {.body = support::attention(shop.outbox, {.limit = 1'000}, [](const wa::Job& job) {
                    const bool is_theirs_alone = job.reason == wa::DeadReason::opted_out ||
                                                 job.reason == wa::DeadReason::no_consent ||
                                                 job.reason == wa::DeadReason::quiet;
                    return is_theirs_alone ? Shown{} : view_of(job);
                })};
    });
    api.on("POST", "/attention/([^/]+)", [&shop](const Call& call) -> Answer {
        const auto body = call.object();
        const auto job = support::find_job(shop.outbox, call.name);
        const auto decision = support::text_at(body, "decision").value();
        const bool changed = decision == "retry"
                                 ? shop.outbox.retry(job.id)
                                 : shop.outbox.resolve(job.id, support::resolution_of(body));
        shop.log.info("decided", {{"job", job.id.str()}, {"decision", decision}});
        return {.body = {{"changed", changed}}};
    });
    api.on("GET", "/spend", [&shop](const Call&) -> Answer {
        Shown view{{"days", Shown::array()}};
        for (const auto& month : shop.rules->budgets(shop.outbox).value()) {
            view["this_month"] = month.spent.decimal();
            view["currency"] = month.spent.currency();
            view["budget"] = month.budget.limit.decimal();
            view["alert_percent"] = month.level;
        }
        const auto now = shop.outbox.counts().now;
        for (const auto& row :
             wa::spend_by_day(shop.outbox, now - std::chrono::days{31}, now + std::chrono::days{1})
                 .value()) {
            view["days"].push_back({{"day", date_of(row.day)},
                                    {"template", row.content_sid},
                                    {"country", row.country},
                                    {"channel", row.channel},
                                    {"spend", row.spend.decimal()}});
        }
        return {.body = view};
    });
}

}  // namespace

support::Api make_api(Shop& shop) {
    support::Api api{shop.log,
                     {.key = wa::Secret{support::setting("SHOP_API_KEY")},
                      .max_body_bytes = std::size_t{64} * 1024 * 1024}};
    serve_notifications(api, shop);
    serve_customers(api, shop);
    serve_campaigns(api, shop);
    serve_people(api, shop);
    return api;
}

}  // namespace shop
