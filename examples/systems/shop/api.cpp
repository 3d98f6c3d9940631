#include "api.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/http_headers.hpp>

namespace shop {

namespace wa = twiliowa;
using nlohmann::json;
using Shown = nlohmann::ordered_json;

namespace {

json object_of(std::string_view text) {
    auto body = json::parse(text, nullptr, false);
    if (!body.is_object()) wa::Error::invalid_request("body", "is no JSON object").raise();
    return body;
}

wa::Job find_job(wa::Outbox& outbox, const std::string& name) {
    const auto id = wa::JobId::parse(name);
    auto job = id ? outbox.find(*id) : std::nullopt;
    if (!job) wa::Error::invalid_request("job", "is not known").raise();
    return *std::move(job);
}

Shown view_of(const wa::Job& job) {
    Shown view{{"id", job.id.str()},
               {"about", job.tag},
               {"campaign", job.campaign},
               {"state", to_string(job.state)},
               {"reason", to_string(job.reason)},
               {"problem", job.problem},
               {"sid", job.sid.str()},
               {"status", job.status.str()},
               {"code", job.error_code},
               {"advice", wa::advise(job.error_code).advice},
               {"may_be", Shown::array()}};
    for (const auto& sid : job.candidates) view["may_be"].push_back(sid.str());
    return view;
}

std::string date_of(wa::TimePoint time) {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                  static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
    return text;
}

}  // namespace

Api::Api(Shop& shop, wa::Secret key) : shop_(shop), key_(std::move(key)) {
    serve_notifications();
    serve_customers();
    serve_campaigns();
    serve_people();
}

const Api::Route* Api::route(const std::string& method, std::string_view path, Call& call) const {
    for (const auto& route : routes_) {
        const auto asked = method + ' ' + std::string{path};
        const auto star = std::min(route.asked.find('*'), route.asked.size());
        const auto begin = std::string_view{route.asked}.substr(0, star);
        const auto end =
            std::string_view{route.asked}.substr(std::min(star + 1, route.asked.size()));
        if (asked.size() < begin.size() + end.size() || !asked.starts_with(begin) ||
            !asked.ends_with(end)) {
            continue;
        }
        call.name = asked.substr(star, asked.size() - begin.size() - end.size());
        const bool has_name = star < route.asked.size();
        if (has_name == !call.name.empty() && call.name.find('/') == std::string::npos) {
            return &route;
        }
    }
    return nullptr;
}

Api::Answer Api::refusal(const wa::Error& error) {
    const auto& field = error.field();
    const bool is_conflict = field == "key" || field == "phase" || field == "id";
    const bool is_unknown = field == "campaign" || field == "job";
    const int status = error.kind() != wa::ErrorKind::invalid_request ? 503
                       : is_conflict                                  ? 409
                       : is_unknown                                   ? 404
                                                                      : 400;
    return {status, Shown{{"field", field}, {"problem", error.data().summary}}.dump()};
}

wa::WebhookResponse Api::answer(const wa::WebhookRequest& request, std::string_view path) const {
    Call call{.body = request.body,
              .idempotency_key = std::string{wa::find_header(request.headers, "Idempotency-Key")}};
    const auto* const asked = route(request.method, path, call);
    Answer answer;
    std::string problem;
    try {
        if (!key_.matches(wa::find_header(request.headers, "x-api-key"))) {
            answer = {403, R"({"field": "x-api-key", "problem": "is not the key"})"};
        } else if (asked == nullptr) {
            answer = {404, R"({"field": "path", "problem": "is not known"})"};
        } else if (request.body.size() > max_body_bytes) {
            answer = {413, R"({"field": "body", "problem": "is too long"})"};
        } else {
            answer = asked->ask(call);
        }
    } catch (const wa::TwilioError& error) {
        problem = error.what();
        answer = refusal(error.error());
    } catch (const json::exception&) {
        answer = {400, R"({"field": "body", "problem": "has a member of another type"})"};
    }
    shop_.log->line("api", {{"asked", asked == nullptr ? "nothing" : asked->asked},
                            {"http", std::to_string(answer.status)},
                            {"recipient", answer.recipient},
                            {"problem", problem}});
    wa::WebhookResponse response{.status = answer.status,
                                 .headers = {{"Content-Type", answer.type}},
                                 .body = std::move(answer.body)};
    if (answer.status == 503) response.headers.emplace_back("Retry-After", "1");
    return response;
}

void Api::serve_notifications() {
    // What is repeated, under the same Idempotency-Key or, without one, about the same order, is
    // answered as it was.
    const auto hand_over = [this](wa::NewJob (Notifications::*make)(const json&) const) {
        return [this, make](const Call& call) -> Answer {
            auto job = (shop_.notifications.*make)(object_of(call.body));
            if (!call.idempotency_key.empty()) job.options.key = "given/" + call.idempotency_key;
            const auto taken = shop_.outbox.enqueue(job.message, job.options);
            return {202, Shown{{"id", taken.id.str()}}.dump(), shop_.log->hash(job.message.to)};
        };
    };
    on("POST /orders/confirmation", hand_over(&Notifications::confirmation));
    on("POST /orders/status", hand_over(&Notifications::status));
    on("POST /promotions", hand_over(&Notifications::promotion));
    on("GET /messages/*", [this](const Call& call) -> Answer {
        auto job = find_job(shop_.outbox, call.name);
        auto view = view_of(job);
        view["steps"] = Shown::array();
        // What has followed it: a template, an SMS.
        for (std::optional<wa::Job> next = job; next;) {
            next = shop_.outbox.find(job.tenant, job.key + "/template");
            if (!next) next = shop_.outbox.find(job.tenant, job.key + "/sms");
            if (!next) break;
            job = *next;
            view["steps"].push_back(view_of(job));
            view["steps"].back()["by"] = job.key.substr(job.key.rfind('/') + 1);
        }
        return {200, view.dump()};
    });
}

void Api::serve_customers() {
    on("POST /consents", [this](const Call& call) -> Answer {
        const auto body = object_of(call.body);
        const auto to = shop_.notifications.recipient(body);
        const auto source = body.value("source", "");
        if (source.empty()) {
            wa::Error::invalid_request("source", "is missing: how is it known?").raise();
        }
        const auto purpose = body.value("purpose", std::string{wa::consent_purpose::marketing});
        wa::Consent consent{.purpose = purpose, .source = source};
        if (body.contains("at")) consent.at = wa::Consent::parse_time(body.value("at", "")).value();
        shop_.consents->grant(shop_.sender, to, consent).value();
        return {200, Shown{{"agreed_to", purpose}}.dump(), shop_.log->hash(to)};
    });
    on("POST /consents/withdraw", [this](const Call& call) -> Answer {
        const auto body = object_of(call.body);
        const auto to = shop_.notifications.recipient(body);
        shop_.consents->withdraw(shop_.sender, to, "", {}, body.value("source", "")).value();
        return {200, Shown{{"agreed_to", nullptr}}.dump(), shop_.log->hash(to)};
    });
    on("POST /customers/export", [this](const Call& call) -> Answer {
        const auto to = shop_.notifications.recipient(object_of(call.body));
        return {200, shop_.customers->export_of(to).value(), shop_.log->hash(to)};
    });
    on("POST /customers/forget", [this](const Call& call) -> Answer {
        const auto to = shop_.notifications.recipient(object_of(call.body));
        const auto report = shop_.customers->forget(to).value();
        const Shown view{{"complete", report.complete()},
                         {"erased", report.erased},
                         {"kept", report.kept},
                         {"not_yet", report.not_yet}};
        return {200, view.dump(), shop_.log->hash(to)};
    });
}

void Api::serve_campaigns() {
    auto& campaigns = shop_.campaigns;
    on("POST /campaigns", [this](const Call& call) -> Answer {
        auto definition = wa::CampaignDefinition::from_json(call.body).value();
        for (auto& variant : definition.variants) {
            if (variant.message.from.empty()) variant.message.from = shop_.sender;
        }
        shop_.campaigns.create(definition);
        return {201, shop_.campaigns.progress(definition.id).to_json()};
    });
    on("GET /campaigns", [&campaigns](const Call&) -> Answer {
        auto all = Shown::array();
        for (const auto& each : campaigns.list()) all.push_back(Shown::parse(each.to_json()));
        return {200, all.dump()};
    });
    on("POST /campaigns/*/recipients", [this](const Call& call) -> Answer {
        std::istringstream csv{std::string{call.body}};
        return {200, shop_.campaigns.add_csv(call.name, csv, {.country = shop_.country}).to_json()};
    });
    on("GET /campaigns/*/check", [&campaigns](const Call& call) -> Answer {
        return {200, campaigns.check(call.name).to_json()};
    });
    on("GET /campaigns/*/report", [&campaigns](const Call& call) -> Answer {
        std::ostringstream csv;
        campaigns.report_csv(call.name, csv);
        return {200, csv.str(), "", "text/csv"};
    });
    const auto decide = [&](const std::string& verb, auto decision) {
        on("POST /campaigns/*/" + verb, [&campaigns, decision](const Call& call) -> Answer {
            decision(campaigns, call.name);
            return {200, campaigns.progress(call.name).to_json()};
        });
    };
    decide("start", [](auto& all, const auto& id) { all.start(id); });
    decide("pause", [](auto& all, const auto& id) { all.pause(id, "by the back end"); });
    decide("resume", [](auto& all, const auto& id) { all.resume(id); });
    decide("cancel", [](auto& all, const auto& id) { all.cancel(id); });
    on("GET /campaigns/*", [&campaigns](const Call& call) -> Answer {
        return {200, campaigns.progress(call.name).to_json()};
    });
}

void Api::serve_people() {
    // What nobody can know, and what failed for a reason that somebody can mend.
    on("GET /attention", [this](const Call&) -> Answer {
        Shown all;
        for (const auto state : {wa::JobState::held, wa::JobState::unknown, wa::JobState::dead}) {
            auto& listed = all[std::string{to_string(state)}] = Shown::array();
            for (const auto& job : shop_.outbox.list({.state = state, .limit = 1'000})) {
                const bool is_theirs_alone = job.reason == wa::DeadReason::opted_out ||
                                             job.reason == wa::DeadReason::no_consent ||
                                             job.reason == wa::DeadReason::quiet;
                if (!is_theirs_alone) listed.push_back(view_of(job));
            }
        }
        return {200, all.dump()};
    });
    on("POST /attention/*", [this](const Call& call) -> Answer {
        const auto body = object_of(call.body);
        const auto job = find_job(shop_.outbox, call.name);
        const auto decision = line_at(body, "decision");
        const auto resolve = [&](const wa::Resolution& resolution) {
            return shop_.outbox.resolve(job.id,
                                        resolution.by(line_at(body, "by"), body.value("why", "")));
        };
        bool changed = false;
        if (decision == "sent") {
            changed =
                resolve(wa::Resolution::sent(wa::MessageSid::parse(line_at(body, "sid")).value()));
        } else if (decision == "not_sent") {
            changed = resolve(wa::Resolution::not_sent());
        } else if (decision == "drop") {
            changed = resolve(wa::Resolution::drop());
        } else if (decision == "retry") {
            changed = shop_.outbox.retry(job.id);
        } else {
            wa::Error::invalid_request("decision", "is none of sent, not_sent, drop, retry")
                .raise();
        }
        shop_.log->line("decided", {{"job", job.id.str()}, {"decision", decision}});
        return {200, Shown{{"changed", changed}}.dump()};
    });
    on("GET /spend", [this](const Call&) -> Answer {
        const auto month = shop_.spent_this_month();
        Shown view{{"this_month", month.decimal()},
                   {"currency", month.currency()},
                   {"alerts", Shown::array()},
                   {"days", Shown::array()}};
        if (const auto budget = shop_.month_budget()) {
            view["budget"] = budget->decimal();
            for (const int level : shop_.rules->options().warn_at) {
                const bool is_reached = month.micros() * 100 >= budget->micros() * level;
                if (is_reached) view["alerts"].push_back(std::to_string(level) + " % is spent");
            }
        }
        const auto now = shop_.outbox.counts().now;
        for (const auto& row :
             wa::spend_by_day(shop_.outbox, now - std::chrono::days{31}, now + std::chrono::days{1})
                 .value()) {
            view["days"].push_back({{"day", date_of(row.day)},
                                    {"template", row.content_sid},
                                    {"country", row.country},
                                    {"channel", row.channel},
                                    {"spend", row.spend.decimal()}});
        }
        return {200, view.dump()};
    });
}

}  // namespace shop
