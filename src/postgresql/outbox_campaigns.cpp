#include <algorithm>

#include <twiliowa/state/store.hpp>

#include "postgresql/outbox_transaction.hpp"
#include "postgresql/row_columns.hpp"

namespace twiliowa::detail {

namespace {

/// More rows of a campaign's counts than these are folded.
constexpr std::int64_t many_campaign_tallies = 1'000;

constexpr const char* select_campaigns =
    "select id, tenant, state, definition, problem, course, created_at, updated_at, revision "
    "from twiliowa.outbox_campaign";

/// What may change of a campaign; `definition` is null where it has not.
constexpr ColumnName changing_campaign_columns[] = {
    {"id", bytes_array},          {"read_revision", number_array}, {"state", number_array},
    {"definition", bytes_array},  {"problem", bytes_array},        {"course", bytes_array},
    {"updated_at", number_array}, {"revision", number_array}};

StoredCampaign read_campaign(const PostgresRows& rows, std::size_t row) {
    PostgresColumns next{rows, row};
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

Error campaign_changed_by_another() {
    return store_error("has a campaign that another changed meanwhile", "read it again");
}

bool is_older_campaign(const StoredCampaign& a, const StoredCampaign& b) {
    return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
}

/// Folds what nobody else is folding; `which` campaigns.
std::string fold_campaign_tally_of(const std::string& which) {
    return "with old as (select ctid from twiliowa.outbox_campaign_tally where campaign = " +
           which +
           " limit 100000 for update skip locked), "
           "gone as (delete from twiliowa.outbox_campaign_tally "
           "where ctid = any(array(select ctid from old)) "
           "returning campaign, variant, step, state, reason, jobs, spend) "
           "insert into twiliowa.outbox_campaign_tally "
           "(campaign, variant, step, state, reason, jobs, spend) "
           "select campaign, variant, step, state, reason, sum(jobs), sum(spend) from gone "
           "group by 1, 2, 3, 4, 5 having sum(jobs) <> 0 or sum(spend) <> 0";
}

}  // namespace

// ---- Campaigns

Result<std::vector<StoredCampaign>> PostgresOutboxTransaction::read_campaigns(
    const PostgresStatement& statement) {
    const auto rows = statements_.ask(statement);
    if (!rows) return rows.error();
    std::vector<StoredCampaign> campaigns;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        auto campaign = read_campaign(*rows, row);
        const auto known = known_campaigns_.find(campaign.id);
        // Somebody has changed it between two statements.
        if (known != known_campaigns_.end() && known->second.revision != campaign.revision) {
            return statements_.begin_anew(BeginAnew::conflict);
        }
        known_campaigns_.insert_or_assign(campaign.id, KnownCampaign{campaign, campaign.revision});
        campaigns.push_back(std::move(campaign));
    }
    return campaigns;
}

Result<std::vector<StoredCampaign>> PostgresOutboxTransaction::campaigns(
    std::span<const std::string> ids) {
    if (!mode_.has_campaigns()) return OutboxTransaction::campaigns(ids);
    std::vector<StoredCampaign> found;
    PostgresArray unknown{PostgresType::bytes};
    for (const auto& id : std::set<std::string>{ids.begin(), ids.end()}) {
        if (const auto known = known_campaigns_.find(id); known != known_campaigns_.end()) {
            found.push_back(known->second.campaign);
        } else {
            unknown.add(id);
        }
    }
    if (ids.empty()) {
        if (auto sent = flush(); !sent) return sent.error();
    }
    if (ids.empty() || unknown.size() > 0) {
        PostgresStatement select{select_campaigns};
        if (!ids.empty()) {
            select.sql += " where id = any($1)";
            select.values.array(unknown);
        }
        auto read = read_campaigns(select);
        if (!read) return read.error();
        std::move(read->begin(), read->end(), std::back_inserter(found));
    }
    std::sort(found.begin(), found.end(), is_older_campaign);
    return found;
}

Result<bool> PostgresOutboxTransaction::insert_campaign(const StoredCampaign& campaign) {
    if (!mode_.has_campaigns()) return OutboxTransaction::insert_campaign(campaign);
    PostgresStatement insert{
        "insert into twiliowa.outbox_campaign (id, tenant, state, definition, problem, course, "
        "created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing"};
    insert.values.bytes(campaign.id)
        .bytes(campaign.tenant)
        .number(static_cast<std::int64_t>(campaign.state))
        .bytes(campaign.definition)
        .bytes(campaign.problem)
        .bytes(campaign.course)
        .number(stored_time(campaign.created_at))
        .number(stored_time(campaign.updated_at));
    const auto done = statements_.change(insert);
    if (!done) return done.error();
    return done->changed() == 1;
}

Result<void> PostgresOutboxTransaction::save_campaign(StoredCampaign& campaign) {
    if (!mode_.has_campaigns()) return OutboxTransaction::save_campaign(campaign);
    if (failure()) return *failure();
    if (const auto read = campaigns({&campaign.id, 1}); !read) return read.error();
    const auto found = known_campaigns_.find(campaign.id);
    if (found == known_campaigns_.end() || found->second.campaign.revision != campaign.revision) {
        return campaign_changed_by_another();
    }
    auto& known = found->second;
    campaigns_before_.try_emplace(campaign.id, known);
    ++campaign.revision;
    known.defined_anew = known.defined_anew || known.campaign.definition != campaign.definition;
    auto next = campaign;
    next.tenant = known.campaign.tenant;
    next.created_at = known.campaign.created_at;
    known.campaign = std::move(next);
    work_.campaigns.insert(campaign.id);
    return {};
}

/// As many rows are changed as still are of the revision that they were read in.
PostgresStatement PostgresOutboxTransaction::update_campaigns(
    const std::set<std::string>& ids) const {
    // A definition that stays is not sent.
    static const auto sql =
        "update twiliowa.outbox_campaign as campaign set state = now.state, "
        "definition = coalesce(now.definition, campaign.definition), problem = now.problem, "
        "course = now.course, updated_at = now.updated_at, revision = now.revision from " +
        unnest({changing_campaign_columns}) + " as now(" + list_of(changing_campaign_columns, {}) +
        ") where campaign.id = now.id and campaign.revision = now.read_revision";
    ColumnArrays rows;
    for (const auto& id : ids) {
        const auto& known = known_campaigns_.at(id);
        const auto& campaign = known.campaign;
        rows.bytes(id);
        rows.number(known.revision);
        rows.one_of(campaign.state);
        rows.bytes(known.defined_anew ? std::optional<std::string_view>{campaign.definition}
                                      : std::nullopt);
        rows.bytes(campaign.problem);
        rows.bytes(campaign.course);
        rows.time(campaign.updated_at);
        rows.number(campaign.revision);
        rows.end_row();
    }
    return {sql, rows.values()};
}

// ---- What is counted of them

void PostgresOutboxTransaction::count_campaign(const StoredJob& job, std::int64_t jobs) {
    if (job.campaign.empty()) return;
    auto& sum =
        work_.counted.campaigns[{job.campaign, job.variant, job.step, job.state, job.reason}];
    sum.jobs += jobs;
    sum.spend += jobs * job.spend;
}

/// At the end; nullopt: nothing has changed.
std::optional<PostgresStatement> PostgresOutboxTransaction::campaign_tally() const {
    ColumnArrays rows;
    bool any = false;
    for (const auto& [place, sum] : batch_.counted.campaigns) {
        if (sum.jobs == 0 && sum.spend == 0) continue;
        any = true;
        const auto& [campaign, variant, step, state, reason] = place;
        rows.bytes(campaign);
        rows.number(variant);
        rows.number(step);
        rows.one_of(state);
        rows.one_of(reason);
        rows.number(sum.jobs);
        rows.number(sum.spend);
        rows.end_row();
    }
    if (!any) return std::nullopt;
    return PostgresStatement{
        "insert into twiliowa.outbox_campaign_tally "
        "(campaign, variant, step, state, reason, jobs, spend) "
        "select * from unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], "
        "$5::bigint[], $6::bigint[], $7::bigint[])",
        rows.values()};
}

Result<std::vector<CampaignCount>> PostgresOutboxTransaction::campaign_counts(
    std::string_view campaign) {
    if (!mode_.has_campaigns()) return OutboxTransaction::campaign_counts(campaign);
    PostgresStatement select{
        "select variant, step, state, reason, sum(jobs)::bigint, sum(spend)::bigint, count(*) "
        "from twiliowa.outbox_campaign_tally where campaign = $1 group by 1, 2, 3, 4"};
    select.values.bytes(campaign);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    CampaignTally counted;
    std::int64_t read = 0;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        PostgresColumns next{*rows, row};
        CampaignPlace at;
        std::get<0>(at) = campaign;
        std::get<1>(at) = next.small();
        std::get<2>(at) = next.small();
        std::get<3>(at) = next.one_of<JobState>();
        std::get<4>(at) = next.one_of<DeadReason>();
        auto& sum = counted[at];
        sum.jobs = next.number();
        sum.spend = next.number();
        read += next.number();
    }
    for (const auto* const pending : {&batch_, &work_}) {
        for (const auto& [at, more] : pending->counted.campaigns) {
            if (std::get<0>(at) != campaign) continue;
            auto& sum = counted[at];
            sum.jobs += more.jobs;
            sum.spend += more.spend;
        }
    }
    if (read > many_campaign_tallies) {
        if (auto folded = fold_campaign_tally(campaign); !folded) return folded.error();
    }
    std::vector<CampaignCount> counts;
    for (const auto& [at, sum] : counted) {
        if (sum.jobs == 0 && sum.spend == 0) continue;
        const auto& [id, variant, step, state, reason] = at;
        counts.push_back({variant, step, state, reason, sum.jobs, sum.spend});
    }
    return counts;
}

Result<void> PostgresOutboxTransaction::fold_campaign_tally(std::string_view campaign) {
    PostgresStatement fold{fold_campaign_tally_of("$1")};
    fold.values.bytes(campaign);
    const auto done = statements_.change(fold);
    return done ? Result<void>{} : done.error();
}

/// Of those campaigns that have many rows, whether or not somebody reads them.
Result<void> PostgresOutboxTransaction::fold_campaign_tallies() {
    if (!mode_.has_campaigns()) return {};
    const auto done = statements_.change({fold_campaign_tally_of(
        "any(array(select campaign from twiliowa.outbox_campaign_tally group by campaign "
        "having count(*) > " +
        std::to_string(many_campaign_tallies) + "))")});
    return done ? Result<void>{} : done.error();
}

}  // namespace twiliowa::detail
