/// @file
/// Campaigns, and what is counted of their recipients.
#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include <twiliowa/state/store.hpp>

#include "sqlite/outbox_transaction.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view campaign_row_columns =
    "id, tenant, state, definition, problem, course, created_at, updated_at, revision";

StoredCampaign read_campaign_row(const SqliteStatement& row) {
    ColumnReader next{row};
    StoredCampaign campaign;
    campaign.id = next.text();
    campaign.tenant = next.text();
    campaign.state = next.one_of<CampaignState>();
    campaign.definition = next.text();
    campaign.problem = next.text();
    campaign.course = next.text();
    campaign.created_at = next.time();
    campaign.updated_at = next.time();
    campaign.revision = next.number();
    return campaign;
}

}  // namespace

Result<std::vector<StoredCampaign>> SqliteOutboxTransaction::campaigns(
    std::span<const std::string> ids) {
    static const auto all = "select " + std::string{campaign_row_columns} + " from outbox_campaign";
    static const auto one = all + " where id = ?";
    std::vector<StoredCampaign> found;
    const auto read = [&](const SqliteStatement& row) { found.push_back(read_campaign_row(row)); };
    Result<void> done;
    if (ids.empty()) done = query(all, no_values, read);
    for (const auto& id : std::set<std::string_view>{ids.begin(), ids.end()}) {
        if (done)
            done = query(
                one, [&](SqliteStatement& select) { select.bind_text(1, id); }, read);
    }
    if (!done) return done.error();
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
    });
    return found;
}

Result<bool> SqliteOutboxTransaction::insert_campaign(const StoredCampaign& campaign) {
    static const std::string sql =
        "insert into outbox_campaign (id, tenant, state, definition, problem, course, created_at, "
        "updated_at) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing";
    const auto done = change(sql, [&](SqliteStatement& insert) {
        ValueWriter next{insert};
        next.text(campaign.id);
        next.text(campaign.tenant);
        next.one_of(campaign.state);
        next.text(campaign.definition);
        next.text(campaign.problem);
        next.text(campaign.course);
        next.time(campaign.created_at);
        next.time(campaign.updated_at);
    });
    if (!done) return done.error();
    return statements_.file().changes() == 1;
}

Result<void> SqliteOutboxTransaction::save_campaign(StoredCampaign& campaign) {
    static const std::string sql =
        "update outbox_campaign set state = ?, definition = ?, problem = ?, course = ?, "
        "updated_at = ?, revision = revision + 1 where id = ? and revision = ?";
    auto done = change(sql, [&](SqliteStatement& update) {
        ValueWriter next{update};
        next.one_of(campaign.state);
        next.text(campaign.definition);
        next.text(campaign.problem);
        next.text(campaign.course);
        next.time(campaign.updated_at);
        next.text(campaign.id);
        next.number(campaign.revision);
    });
    if (!done) return done;
    if (statements_.file().changes() != 1) {
        return store_error("has a campaign that another changed meanwhile", "read it again");
    }
    ++campaign.revision;
    return {};
}

Result<std::vector<CampaignCount>> SqliteOutboxTransaction::campaign_counts(
    std::string_view campaign) {
    static const std::string sql =
        "select variant, step, state, reason, jobs, spend from outbox_campaign_count "
        "where campaign = ?";
    OutboxTally all;
    const auto done = query(
        sql, [&](SqliteStatement& select) { select.bind_text(1, campaign); },
        [&](const SqliteStatement& row) {
            ColumnReader next{row};
            const auto variant = next.small();
            const auto step = next.small();
            const auto state = next.one_of<JobState>();
            const auto reason = next.one_of<DeadReason>();
            const auto jobs = next.number();
            all.recipients[{std::string{campaign}, variant, step, state, reason}] = {jobs,
                                                                                     next.number()};
        });
    if (!done) return done.error();
    for (const auto* const tally : tallies()) all.add(*tally);
    std::vector<CampaignCount> counts;
    for (const auto& [place, sum] : all.recipients) {
        const auto& [of, variant, step, state, reason] = place;
        if (of != campaign || (sum.jobs == 0 && sum.spend == 0)) continue;
        counts.push_back({variant, step, state, reason, sum.jobs, sum.spend});
    }
    return counts;
}

}  // namespace twiliowa::detail
