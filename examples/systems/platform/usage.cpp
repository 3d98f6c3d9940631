#include "usage.hpp"

#include <exception>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>
#include <twiliowa/postgresql/postgres_quotas.hpp>

namespace platform {

namespace wa = twiliowa;
using namespace std::chrono_literals;
using Shown = nlohmann::ordered_json;

namespace {

wa::QuotaAmount charge_of(std::int64_t tokens) {
    return wa::QuotaAmount::thousandths(tokens * 1'200);
}

std::string seconds_of(wa::TimePoint time) {
    return std::to_string(std::chrono::system_clock::to_time_t(time));
}

}  // namespace

/// Told of each level once: there a letter would go out.
class Usage::Bell final : public wa::Observer {
public:
    Bell(support::PostgresDatabase& database, const support::Log& log)
        : database_(database), log_(log) {}

    void on_quota_level(const wa::QuotaLevelEvent& event) noexcept override try {
        database_.run(
            "insert into platform.notification values ($1, to_timestamp($2), $3)",
            {std::string{event.quota}, seconds_of(event.renews), std::to_string(event.percent)});
    } catch (const std::exception&) {
        log_.warning("not_notified", {{"tenant", event.quota}});
    }

private:
    support::PostgresDatabase& database_;
    const support::Log& log_;
};

Usage::Usage(const std::string& database_url, support::PostgresDatabase& database,
             const Tenants& tenants, const support::Log& log)
    : database_(database),
      quotas_(std::make_shared<wa::PostgresQuotas>(database_url),
              {.windows_of = [&tenants](std::string_view organisation)
                   -> wa::Result<std::vector<wa::QuotaWindow>> {
                   const auto limit = tenants.plan_of(organisation).tokens_a_month;
                   return std::vector{wa::QuotaWindow::per_month(limit)};
               },
               // What goes later than that is counted all the same.
               .lapse_after = 24h,
               .observer = log.observer_with(std::make_shared<Bell>(database, log))}) {}

wa::QuotaAnswer Usage::reserve(const std::string& organisation, const std::string& send,
                               std::int64_t tokens) const {
    return quotas_.reserve({.quota = organisation, .send = send, .cost = charge_of(tokens)})
        .value();
}

void Usage::settle(const std::string& organisation, const std::string& send,
                   std::int64_t tokens) const {
    quotas_.settle({.quota = organisation, .send = send}, charge_of(tokens)).value();
}

void Usage::release(const std::string& organisation, const std::string& send) const {
    quotas_.release({.quota = organisation, .send = send}).value();
}

void Usage::record(const std::string& organisation, const std::string& id, const std::string& sid,
                   std::int64_t tokens, PGconn* within) const {
    database_.run("select platform.record_usage($1, $2, $3, $4, $5)",
                  {organisation, id, sid, std::to_string(tokens), charge_of(tokens).text()},
                  within);
}

Shown Usage::view_of(const wa::QuotaState& month) {
    return {{"used", month.used.text()},
            {"left", month.left.text()},
            {"limit", month.window.limit.text()},
            {"renews", seconds_of(month.renews)}};
}

Shown Usage::report(const std::string& organisation) const {
    Shown report{{"month", view_of(quotas_.read(organisation).value().at(0))},
                 {"days", Shown::array()},
                 {"notifications", Shown::array()}};
    for (const auto& row :
         database_.run("select day, messages, tokens, charged from platform.usage_day where "
                       "organisation = $1 order by day desc limit 31",
                       {organisation})) {
        report["days"].push_back(
            {{"day", row[0]}, {"messages", row[1]}, {"tokens", row[2]}, {"charged", row[3]}});
    }
    for (const auto& row :
         database_.run("select percent, at from platform.notification where organisation = $1 "
                       "order by at desc, percent desc limit 31",
                       {organisation})) {
        report["notifications"].push_back({{"percent", row[0]}, {"at", row[1]}});
    }
    return report;
}

}  // namespace platform
