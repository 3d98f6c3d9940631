#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/error.hpp>

#include "testing/outbox_check.hpp"

namespace twiliowa::testing::outbox_check {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

/// As many bytes as a campaign's id may have, from that one on.
std::string bytes_from(int first) {
    std::string bytes;
    for (int i = 0; i < 100; ++i) bytes += static_cast<char>((first + i) & 0xff);
    return bytes;
}

/// The first member of two campaigns that differs, but for `revision`; empty: none.
std::string different_campaign_member(const StoredCampaign& a, const StoredCampaign& b) {
    const std::pair<bool, std::string_view> members[] = {
        {a.id == b.id, "id"},
        {a.tenant == b.tenant, "tenant"},
        {a.state == b.state, "state"},
        {a.definition == b.definition, "definition"},
        {a.problem == b.problem, "problem"},
        {a.course == b.course, "course"},
        {a.created_at == b.created_at, "created_at"},
        {a.updated_at == b.updated_at, "updated_at"}};
    for (const auto& [same, name] : members) {
        if (!same) return std::string{name};
    }
    return {};
}

struct CampaignCheckException : std::runtime_error {
    CampaignCheckException() : std::runtime_error("thrown by the check") {}
};

using CampaignCounts = std::vector<CampaignCount>;

class OutboxCampaignCheck final : OutboxCheck {
public:
    OutboxCampaignCheck(const OutboxStorageFactory& open, const CheckOutboxStorageOptions& options)
        : OutboxCheck(open, options, 1'000'000) {}

    std::vector<std::string> run() {
        if (keeps("no quotas", [](OutboxTransaction& t) -> Result<void> {
                const auto none =
                    t.quota_histories("x", 0, checked_year(2000), checked_year(2001), "", 1);
                return none ? Result<void>{} : none.error();
            })) {
            histories_are_by_name();
            histories_have_their_prefix();
            histories_are_paged();
        }
        if (!keeps("no campaigns", [](OutboxTransaction& t) -> Result<void> {
                const auto all = t.campaigns({});
                return all ? Result<void>{} : all.error();
            })) {
            return std::move(faults_);
        }
        recipients_come_back();
        later_reasons_come_back();
        budgets_come_back();
        campaigns_come_back();
        campaigns_are_found();
        campaigns_are_new_once();
        campaign_revisions_are_compared();
        groups_are_apart();
        ready_gives_the_campaigns_own();
        what_was_ready_is_taken_again();
        order_is_kept_across_campaigns();
        chains_and_prices_are_due();
        steps_of_a_chain_go_with_what_calls_for_them();
        next_due_tells_of_them();
        lists_filter_by_campaign();
        recipients_are_counted();
        counts_follow_a_work();
        counts_are_of_one_campaign();
        what_changes_nothing_is_not_counted();
        failures_undo_campaigns();
        counts_outlive_their_jobs();
        counts_of_several_add_up();
        one_of_several_saves_a_campaign();
        return std::move(faults_);
    }

private:
    /// Whether it does not say that it keeps none.
    template <class Work>
    bool keeps(std::string_view what, const Work& ask) {
        const auto result = transact(*storage_, "keeps " + std::string{what}, ask);
        if (!result) return true;
        return *result || result->error().what().find(what) == std::string::npos;
    }

    // ---- Several quotas at once

    struct CountedIn {
        std::string quota;
        std::int64_t period = 60;
        seconds begin = {};
        std::int64_t used = 0;
    };
    static TimePoint slot_begin(seconds after = {}) { return checked_year(2020) + after; }

    void count_all(const std::vector<CountedIn>& counted) {
        work("count_quota", [&](OutboxTransaction& t) {
            for (const auto& each : counted) {
                t.count_quota({each.quota,
                               {each.period, slot_begin(each.begin)},
                               each.used,
                               each.used + 1,
                               checked_year(2060)})
                    .value();
            }
        });
    }
    std::vector<NamedQuotaCount> histories(std::string_view prefix, std::string_view after = {},
                                           std::size_t limit = 1'000) {
        std::vector<NamedQuotaCount> found;
        work("quota_histories", [&](OutboxTransaction& t) {
            found = t.quota_histories(prefix, 60, slot_begin(), slot_begin(hours{1}), after, limit)
                        .value();
        });
        return found;
    }
    static std::vector<std::string> names_of(const std::vector<NamedQuotaCount>& counts) {
        std::vector<std::string> names;
        names.reserve(counts.size());
        for (const auto& each : counts) names.push_back(each.quota);
        return names;
    }

    void histories_are_by_name() {
        const auto prefix = "histories-" + std::to_string(next()) + '-';
        count_all({{prefix + "b", 60, seconds{60}, 4},
                   {prefix + "b", 60, seconds{0}, 3},
                   {prefix + "a", 60, seconds{60}, 2},
                   {prefix + "a", 0, seconds{0}, 100},
                   {prefix + "a", 60, seconds{-60}, 101},
                   {prefix + "a", 60, hours{1}, 102},
                   {prefix, 60, seconds{0}, 1}});
        const auto found = histories(prefix);
        expect(names_of(found) ==
                   std::vector<std::string>{prefix, prefix + "a", prefix + "b", prefix + "b"},
               "quota_histories did not give the slots of a period and a time, by name");
        if (found.size() != 4) return;
        for (std::size_t i = 0; i < found.size(); ++i) {
            const auto used = static_cast<std::int64_t>(i) + 1;
            const auto& count = found[i].count;
            expect(count.used == used && count.peak == used + 1 && count.peak_before == used + 1 &&
                       count.period == 60,
                   "quota_histories gave another count, or not the oldest first");
        }
        expect(
            found[2].count.begin == slot_begin() && found[3].count.begin == slot_begin(seconds{60}),
            "quota_histories gave another begin of a slot");
        // With what the same work has counted.
        work("quota_histories", [&](OutboxTransaction& t) {
            t.count_quota({prefix + "a", {60, slot_begin(seconds{60})}, 5, 0, checked_year(2060)})
                .value();
            const auto now =
                t.quota_histories(prefix + "a", 60, slot_begin(), slot_begin(hours{1}), "", 10)
                    .value();
            expect(now.size() == 1 && now[0].count.used == 7,
                   "quota_histories did not give what the same work had counted");
        });
    }

    void histories_have_their_prefix() {
        const auto number = std::to_string(next());
        // What a pattern would take for any sign, and what has no next byte.
        const std::string all{"\xff\xff"};
        const std::vector<std::string> prefixes{
            "x_" + number, "x%" + number, "x\\" + number,          "x*" + number,
            "x[" + number, all + number,  any_bytes("x" + number), "X_" + number};
        for (const auto& prefix : prefixes) {
            count_all({{prefix + "-1", 60, seconds{0}, 1},
                       {prefix + std::string("\0z", 2), 60, seconds{0}, 1}});
        }
        count_all({{"xy" + number + "-1", 60, seconds{0}, 1}, {all, 60, seconds{0}, 1}});
        for (const auto& prefix : prefixes) {
            expect(names_of(histories(prefix)) ==
                       std::vector<std::string>{prefix + std::string("\0z", 2), prefix + "-1"},
                   "quota_histories gave names of another prefix, or not all of it");
        }
        expect(names_of(histories(all)).size() == 3,
               "quota_histories of the last prefix there is did not give its names");
        expect(histories("").size() >= 2 * prefixes.size() + 2,
               "quota_histories of no prefix did not give all names");
        expect(histories("nobody's-" + number).empty(),
               "quota_histories gave names of a prefix that nobody has");
    }

    void histories_are_paged() {
        const auto prefix = "paged-" + std::to_string(next()) + '-';
        const auto a = prefix + "a";
        const auto b = prefix + "b";
        const auto c = prefix + "c";
        std::vector<CountedIn> counted;
        for (const auto& [name, slots] : std::map<std::string, int>{{a, 2}, {b, 1}, {c, 3}}) {
            for (int i = 0; i < slots; ++i) counted.push_back({name, 60, seconds{60} * i, 1});
        }
        count_all(counted);
        using Names = std::vector<std::string>;
        const auto page = [&](std::string_view after, std::size_t limit) {
            return names_of(histories(prefix, after, limit));
        };
        expect(page("", 0).empty(), "quota_histories of a limit of 0 gave counts");
        expect(page("", 1) == Names{a, a} && page("", 2) == Names{a, a},
               "quota_histories did not end with all of a name when it had enough");
        expect(page("", 3) == Names{a, a, b} && page("", 4) == Names{a, a, b, c, c, c},
               "quota_histories did not keep to its limit, or left out some of a name");
        expect(page(a, 1) == Names{b} && page(b, 1) == Names{c, c, c} && page(c, 1).empty(),
               "quota_histories did not go on after a name");
        expect(page(a + '!', 10) == Names{b, c, c, c} && page("!", 10).size() == 6 &&
                   page("~", 10).empty(),
               "quota_histories did not go on after a name that nobody has");
    }

    // ---- Jobs of campaigns

    /// A new campaign's id, and a job of it.
    std::string next_campaign() { return "campaign-" + std::to_string(next()); }
    StoredJob recipient_of(std::string_view campaign) {
        auto job = new_job();
        job.campaign = campaign;
        return job;
    }

    void recipients_come_back() {
        auto job = new_job();
        job.campaign = bytes_from(0);
        job.variant = 1'000'000'000;
        job.step = 7;
        job.spend = 1'000'000'000'000'000;
        work("insert", [&](OutboxTransaction& t) { t.insert(job).value(); });
        expect_same(job, "a job of a campaign that was inserted");
        auto ordered = recipient_of(bytes_from(100));
        ordered.order_key = "order";
        ordered.variant = 1;
        ordered.step = 2;
        insert(ordered);
        expect_same(ordered, "a job of a campaign with an order_key");
        // What is set of a job without a campaign is kept, too.
        auto alone = new_job();
        alone.variant = 3;
        alone.step = 4;
        alone.spend = 5;
        insert(alone);
        expect_same(alone, "a job without a campaign, of a variant");
        for (const auto& id : {job.id, ordered.id, alone.id}) {
            auto changed = load(id);
            changed.spend = -1'000'000'000'001;
            changed.chain_due = checked_year(2045) + microseconds{1};
            changed.price_due = checked_year(2046) + microseconds{2};
            save(changed);
            expect_same(changed, "a job of which spend, chain_due and price_due were saved");
            changed.state = JobState::accepted;
            changed.status = "sent";
            save(changed);
            expect_same(changed, "a job that was saved without a change of them");
            changed.payload.clear();
            save(changed);
            expect_same(changed, "a job that was erased without a change of them");
            changed.spend = 0;
            changed.chain_due.reset();
            changed.price_due.reset();
            save(changed);
            expect_same(changed, "a job that was erased, of which they were taken back");
            finish(id);
        }
    }

    /// Reasons that came later than others, with a campaign and without.
    void later_reasons_come_back() {
        for (const auto& campaign : {std::string{}, next_campaign()}) {
            auto job = insert(recipient_of(campaign));
            job.state = JobState::dead;
            for (const auto reason :
                 {DeadReason::no_consent, DeadReason::quiet, DeadReason::refused, DeadReason::quiet,
                  DeadReason::none, DeadReason::no_consent, DeadReason::unknown}) {
                job.reason = reason;
                save(job);
                expect_same(job, "a job that is dead as " + std::string{to_string(reason)});
                job.problem += "again";
                save(job);
                expect_same(job,
                            "a job saved again that is dead as " + std::string{to_string(reason)});
            }
            job.reason = DeadReason::quiet;
            job.payload.clear();
            save(job);
            expect_same(job, "a job whose payload was erased as it died");
            finish(job.id);
        }
    }

    void budgets_come_back() {
        auto job = insert(recipient_of(next_campaign()));
        job.counted = {{1, true, {{86'400, checked_year(2010)}}, any_bytes("budget=;:,"), 78'900},
                       {1, true, {{60, checked_year(2010)}, {0, checked_year(2011)}}},
                       {1, false, {}, "5:spend1=60@1;", -QuotaSlot::most},
                       {2, true, {{0, checked_year(2012)}}, ";", QuotaSlot::most}};
        save(job);
        expect_same(job, "a job that was counted in budgets");
        job.counted.erase(job.counted.begin());
        job.counted[1].counts = true;
        save(job);
        expect_same(job, "a job whose count in a budget was given back");
        finish(job.id);
    }

    // ---- Campaigns

    StoredCampaign new_campaign(std::string id) {
        StoredCampaign campaign;
        campaign.id = std::move(id);
        campaign.tenant = "check-" + std::to_string(next());
        campaign.definition = "{}";
        campaign.created_at = checked_year(2001);
        campaign.updated_at = checked_year(2001);
        return campaign;
    }
    /// As it is in the storage.
    StoredCampaign insert_campaign(const StoredCampaign& campaign) {
        work("insert_campaign", [&](OutboxTransaction& t) {
            expect(t.insert_campaign(campaign).value(),
                   "insert_campaign did not say that a campaign is new");
        });
        return load_campaign(campaign.id);
    }
    StoredCampaign load_campaign(const std::string& id) {
        StoredCampaign campaign;
        work("campaigns", [&](OutboxTransaction& t) {
            auto found = t.campaigns({&id, 1}).value();
            if (found.size() != 1) return fault("campaigns did not give one that was inserted");
            campaign = std::move(found.front());
        });
        return campaign;
    }
    void save_campaign(StoredCampaign& campaign) {
        auto changed = campaign;
        work("save_campaign", [&](OutboxTransaction& t) {
            changed = campaign;
            t.save_campaign(changed).value();
        });
        campaign = std::move(changed);
    }
    void expect_same_campaign(const StoredCampaign& campaign, const std::string& what) {
        for (auto* const storage : {storage_.get(), other_.get()}) {
            const auto result =
                transact(*storage, "campaigns", [&](OutboxTransaction& t) -> Result<void> {
                    const auto found = t.campaigns({&campaign.id, 1}).value();
                    if (found.size() != 1) {
                        fault(what + ": campaigns did not give it");
                        return {};
                    }
                    const auto member = different_campaign_member(campaign, found.front());
                    if (!member.empty()) {
                        fault(std::string{what}.append(": came back with another ").append(member));
                    }
                    return {};
                });
            static_cast<void>(result);
        }
    }

    void campaigns_come_back() {
        auto campaign = new_campaign(bytes_from(0));
        campaign.tenant = any_bytes("tenant");
        campaign.state = CampaignState::cancelled;
        campaign.definition = any_bytes("definition");
        campaign.problem = any_bytes("problem");
        campaign.course = any_bytes("course");
        campaign.created_at = checked_year(2001) + microseconds{1};
        campaign.updated_at = checked_year(2002) + microseconds{2};
        expect(insert_campaign(campaign).revision > 0, "a new campaign has no revision");
        expect_same_campaign(campaign, "a campaign of any bytes");
        auto other = new_campaign(bytes_from(100));
        other.tenant.clear();
        other.definition.clear();
        other = insert_campaign(other);
        expect_same_campaign(other, "a campaign of empty texts");
        auto last = new_campaign(bytes_from(200));
        last.definition = std::string(std::size_t{256} * 1'024, '\xff');
        last.course = std::string(100'000, 'c');
        last = insert_campaign(last);
        expect_same_campaign(last, "a campaign with a definition of 256 KiB");
        for (const auto state :
             {CampaignState::draft, CampaignState::scheduled, CampaignState::running,
              CampaignState::paused, CampaignState::cancelled}) {
            other.state = state;
            other.definition += any_bytes("longer");
            other.problem = other.problem.empty() ? any_bytes("problem") : std::string{};
            other.course += '\0';
            other.updated_at += microseconds{1};
            save_campaign(other);
            expect_same_campaign(other, "a campaign that was saved");
        }
        last.definition.clear();
        last.course.clear();
        save_campaign(last);
        expect_same_campaign(last, "a campaign whose texts became empty");
    }

    void campaigns_are_found() {
        const auto number = std::to_string(next());
        std::vector<std::string> ids;
        // Not by their ids, nor as they were inserted.
        for (const int year : {2003, 2001, 2002}) {
            auto campaign = new_campaign("found-" + number + '-' + std::to_string(2010 - year));
            campaign.created_at = checked_year(year);
            insert_campaign(campaign);
            ids.push_back(campaign.id);
        }
        const auto found = [&](std::vector<std::string> of) {
            std::vector<std::string> names;
            work("campaigns", [&](OutboxTransaction& t) {
                names.clear();
                for (const auto& each : t.campaigns(of).value()) names.push_back(each.id);
            });
            return names;
        };
        const std::vector<std::string> oldest_first{ids[1], ids[2], ids[0]};
        expect(found(ids) == oldest_first, "campaigns did not give those of ids, the oldest first");
        expect(found({ids[0], "nobody's", ids[1]}) == std::vector<std::string>{ids[1], ids[0]},
               "campaigns did not leave out an id that is not there");
        expect(found({ids[0], ids[0]}) == std::vector<std::string>{ids[0]},
               "campaigns gave one twice whose id was given twice");
        expect(found({"nobody's"}).empty() && found({""}).empty(),
               "campaigns gave some for ids that are not there");
        auto all = found({});
        std::erase_if(all, [&](const auto& id) {
            return std::find(ids.begin(), ids.end(), id) == ids.end();
        });
        expect(all == oldest_first, "campaigns of no ids did not give all, the oldest first");
    }

    void campaigns_are_new_once() {
        const auto campaign = insert_campaign(new_campaign(next_campaign()));
        auto again = new_campaign(campaign.id);
        again.tenant = "another";
        again.definition = "another";
        work("insert_campaign", [&](OutboxTransaction& t) {
            expect(!t.insert_campaign(again).value(),
                   "insert_campaign said that a campaign is new whose id was there");
            auto longer = again;
            longer.id += std::string("\0a", 2);
            expect(t.insert_campaign(longer).value() && !t.insert_campaign(longer).value(),
                   "insert_campaign did not tell in one work what is new");
            const auto found = t.campaigns({&longer.id, 1}).value();
            expect(found.size() == 1 && found[0].id == longer.id,
                   "campaigns did not give one that the same work had inserted");
        });
        expect_same_campaign(campaign, "a campaign whose id was inserted again");
    }

    void campaign_revisions_are_compared() {
        const auto campaign = insert_campaign(new_campaign(next_campaign()));
        for (auto* const through : {storage_.get(), other_.get()}) {
            auto mine = load_campaign(campaign.id);
            auto theirs = mine;
            mine.problem = "mine";
            const auto before = mine.revision;
            save_campaign(mine);
            expect(mine.revision > before, "save_campaign did not raise the revision");
            expect(load_campaign(campaign.id).revision == mine.revision,
                   "save_campaign gave another revision than is read");
            theirs.problem = "theirs";
            bool refused = false;
            const auto result =
                transact(*through, "save_campaign", [&](OutboxTransaction& t) -> Result<void> {
                    auto saved = t.save_campaign(theirs);
                    refused = !saved;
                    return saved;
                });
            expect(refused, "save_campaign wrote over what was changed since it was read");
            expect(result && !*result && is_store_error(result->error()),
                   "save_campaign of what was changed since is no store_error of transact");
            expect_same_campaign(mine, "a campaign of which a save was refused");
        }
        work("save_campaign", [&](OutboxTransaction& t) {
            auto copy = t.campaigns({&campaign.id, 1}).value().at(0);
            copy.course = "one";
            t.save_campaign(copy).value();
            copy.course = "two";
            t.save_campaign(copy).value();
        });
        expect(load_campaign(campaign.id).course == "two",
               "a campaign was not saved twice in one work");
        auto gone = new_campaign(next_campaign());
        gone.revision = 1;
        const auto result = transact(*storage_, "save_campaign",
                                     [&](OutboxTransaction& t) { return t.save_campaign(gone); });
        expect(result && !*result, "save_campaign of what is not there succeeded");
    }

    // ---- Whose turn it is

    std::int64_t times_told(const ReadyGroup& group) {
        std::int64_t times = 0;
        work("ready_groups", [&](OutboxTransaction& t) {
            const auto groups = t.ready_groups().value();
            times = std::count(groups.begin(), groups.end(), group);
        });
        return times;
    }

    /// Several that differ by their campaigns alone, the first of none.
    std::vector<ReadyGroup> groups_of_campaigns() {
        const auto none = next_group();
        std::vector<ReadyGroup> groups{none};
        const auto id = next_campaign();
        for (const auto& campaign :
             {id, id + 'x', id + std::string("\0", 1), bytes_from(0), bytes_from(200)}) {
            groups.push_back(none);
            groups.back().campaign = campaign;
        }
        return groups;
    }

    void groups_are_apart() {
        const auto groups = groups_of_campaigns();
        std::vector<JobId> ids;
        for (const auto& group : groups) {
            for (int i = 0; i < 2; ++i) ids.push_back(insert(job_of(group, checked_year(2100))).id);
        }
        for (std::size_t i = 0; i < groups.size(); ++i) {
            expect(times_told(groups[i]) == 1,
                   "ready_groups does not tell once of a group that differs by its campaign");
        }
        for (std::size_t i = 0; i < groups.size(); ++i) {
            finish(ids[2 * i]);
            expect(times_told(groups[i]) == 1,
                   "ready_groups lost a campaign's group that has a job left");
            finish(ids[2 * i + 1]);
            expect(times_told(groups[i]) == 0,
                   "ready_groups tells of a campaign's group without a ready job");
        }
    }

    void ready_gives_the_campaigns_own() {
        const auto groups = groups_of_campaigns();
        const auto now = checked_year(2010);
        std::map<std::string, std::vector<JobId>> own;
        // Late ones first, and of all in turns.
        for (const int second : {2, 1, 0}) {
            for (const auto& group : groups) {
                auto& ids = own[group.campaign];
                ids.insert(ids.begin(), insert(job_of(group, now + seconds{second})).id);
            }
        }
        work("ready", [&](OutboxTransaction& t) {
            for (const auto& group : groups) {
                const auto& ids = own[group.campaign];
                expect(ids_of(t.ready({group, now + seconds{2}, now, 100}).value()) == ids,
                       "ready did not give exactly the jobs of a campaign, in their order");
                expect(
                    ids_of(t.ready({group, now, now, 100}).value()) == std::vector<JobId>{ids[0]},
                    "ready did not give exactly what is due of a campaign");
            }
            auto nobody = groups[0];
            nobody.campaign = "nobody's";
            expect(t.ready({nobody, now + seconds{2}, now, 100}).value().empty(),
                   "ready gave jobs of a campaign that has none");
        });
        for (const auto& [campaign, ids] : own) {
            for (const auto& id : ids) finish(id);
        }
    }

    /// What an earlier transaction was given, unless somebody has changed it since.
    void what_was_ready_is_taken_again() {
        const auto group = groups_of_campaigns().front();
        const auto now = checked_year(2010);
        std::vector<StoredJob> given;
        for (int i = 0; i < 3; ++i) insert(job_of(group, now));
        work("ready", [&](OutboxTransaction& t) {
            given = t.ready({group, now, now, 100}).value();
        });
        expect(given.size() == 3, "ready did not give three jobs that are due");
        if (given.size() != 3) return;
        work("save", [&](OutboxTransaction& t) {
            auto changed = t.load({&given[1].id, 1}).value().at(0);
            changed.problem = "changed";
            static_cast<void>(t.save(changed).value());
        });
        // In an order of their own, which is kept.
        const std::vector<const StoredJob*> asked{&given[2], &given[0], &given[1]};
        std::vector<bool> again;
        work("take_again", [&](OutboxTransaction& t) {
            again = t.take_again(asked).value();
            expect(t.take_again({}).value().empty(), "take_again of nothing gave jobs");
        });
        expect(again == std::vector<bool>{true, true, false},
               "take_again did not give exactly the jobs that nobody has changed");
        finish(given[0].id);
        work("take_again", [&](OutboxTransaction& t) {
            again = t.take_again(asked).value();
            auto taken = given[2];
            taken.problem = "taken";
            static_cast<void>(t.save(taken).value());
        });
        expect(again == std::vector<bool>{true, false, false},
               "take_again gave a job that is not ready any more");
        work("load", [&](OutboxTransaction& t) {
            expect(t.load({&given[2].id, 1}).value().at(0).problem == "taken",
                   "a job that take_again gave was not saved as it was changed");
        });
        finish(given[1].id);
        finish(given[2].id);
    }

    void order_is_kept_across_campaigns() {
        const auto none = next_group();
        auto group = none;
        group.campaign = next_campaign();
        const auto now = checked_year(2010);
        auto first = job_of(none, now);
        first.order_key = "order";
        first = insert(first);
        auto second = job_of(group, now);
        second.order_key = "order";
        second = insert(second);
        auto third = job_of(none, now);
        third.order_key = "order";
        third = insert(third);
        const auto given = [&](const ReadyGroup& of) {
            std::vector<JobId> ids;
            work("ready", [&](OutboxTransaction& t) {
                ids = ids_of(t.ready({of, now, now, 100}).value());
            });
            return ids;
        };
        expect(given(group).empty(),
               "ready gave a campaign's job before one of none that has its order_key");
        finish(first.id);
        expect(given(group) == std::vector<JobId>{second.id} && given(none).empty(),
               "ready did not go on with a campaign's job, or gave one behind it");
        finish(second.id);
        expect(given(none) == std::vector<JobId>{third.id},
               "ready did not go on behind a campaign's job");
        finish(third.id);
    }

    void chains_and_prices_are_due() {
        const auto at = checked_year(1975);
        const auto due = [&](Due what, int second, std::size_t limit) {
            std::vector<JobId> ids;
            work("due", [&](OutboxTransaction& t) {
                ids = ids_of(t.due(what, at + seconds{second}, limit).value());
            });
            return ids;
        };
        for (const auto what : {Due::chain, Due::price}) {
            const std::string name = what == Due::chain ? "due(chain)" : "due(price)";
            const auto set = [&](StoredJob& job, int second) {
                (what == Due::chain ? job.chain_due : job.price_due) = at + seconds{second};
            };
            std::vector<StoredJob> jobs;
            const std::array seconds_of{3, 1, 2, 1};
            // In any state, with a campaign and without.
            const std::array states{JobState::accepted, JobState::delivered, JobState::dead,
                                    JobState::ready};
            for (std::size_t i = 0; i < 4; ++i) {
                auto job = insert(recipient_of(i % 2 == 0 ? next_campaign() : std::string{}));
                job.state = states[i];
                set(job, seconds_of[i]);
                save(job);
                jobs.push_back(job);
            }
            expect(due(what, 2, 100) == std::vector<JobId>{jobs[1].id, jobs[3].id, jobs[2].id},
                   name + " did not give what is due until then, in its order");
            expect(due(what, 2, 2) == std::vector<JobId>{jobs[1].id, jobs[3].id} &&
                       due(what, 2, 0).empty(),
                   name + " did not keep to its limit");
            expect(due(what, 0, 100).empty(), name + " gave what is due later");
            expect(due(what == Due::chain ? Due::price : Due::chain, 10, 100).empty(),
                   name + " shares its jobs with another");
            work("due", [&](OutboxTransaction& t) {
                auto mine = t.due(what, at + seconds{2}, 1).value();
                if (mine.size() != 1) return;
                expect(different_member(mine[0], jobs[1]).empty(),
                       name + " gave a job that is not whole");
                (what == Due::chain ? mine[0].chain_due : mine[0].price_due).reset();
                t.save(mine[0]).value();
                expect(ids_of(t.due(what, at + seconds{2}, 1).value()) ==
                           std::vector<JobId>{jobs[3].id},
                       name + " gave what the same work had done");
            });
            for (const auto& job : jobs) finish(job.id);
            expect(due(what, 10, 100).empty(), name + " gave what has none any more");
        }
    }

    /// The failure of a recipient's message and what follows it are one work: both are there, or
    /// neither.
    void steps_of_a_chain_go_with_what_calls_for_them() {
        const auto id = next_campaign();
        auto campaign = new_campaign(id);
        campaign.definition =
            R"({"fallbacks":[{"message":{"body":")" + any_bytes("body") + R"("}}]})";
        expect_same_campaign(insert_campaign(campaign), "a campaign with fallbacks");
        auto first = recipient_of(id);
        first.content_hash = "chain:" + first.content_hash;
        first.variant = 2;
        first = insert(first);
        first.state = JobState::accepted;
        first.chain_due = checked_year(1975);
        save(first);
        expect_same(first, "the first message of a chain");
        auto step = recipient_of(id);
        step.tenant = first.tenant;
        step.key = first.key + "/sms";
        step.variant = 2;
        step.step = 1;
        auto failed = first;
        failed.state = JobState::undelivered;
        failed.error_code = 63003;
        failed.chain_due.reset();
        const auto go_on = [&](OutboxTransaction& t) {
            auto job = failed;
            t.save(job).value();
            expect(t.insert(step).value().inserted, "insert found a step that was not there");
        };
        const auto undone =
            transact(*storage_, "transact", [&](OutboxTransaction& t) -> Result<void> {
                go_on(t);
                return Error::invalid_request("check", "fails");
            });
        expect(undone && !*undone, "transact did not answer the error of its work");
        expect_campaign(id, {{2, 0, JobState::accepted, DeadReason::none, 1, 0}},
                        "a chain whose step was undone");
        const auto is_due = [&] {
            bool found = false;
            work("due", [&](OutboxTransaction& t) {
                const auto ids = ids_of(t.due(Due::chain, checked_year(1976), 100).value());
                found = std::find(ids.begin(), ids.end(), first.id) != ids.end();
            });
            return found;
        };
        expect(is_due(), "due(chain) lost a chain whose step was undone");
        work("transact", go_on);
        expect(!is_due(), "due(chain) gave a chain that has gone on");
        const CampaignCounts counts{{2, 0, JobState::undelivered, DeadReason::none, 1, 0},
                                    {2, 1, JobState::ready, DeadReason::none, 1, 0}};
        expect_campaign(id, counts, "a chain that has gone on");
        expect_same(step, "a step of a chain");
        // Whatever is reported again.
        auto again = step;
        again.id = recipient_of(id).id;
        work("insert", [&](OutboxTransaction& t) {
            const auto holder = t.find_key(step.tenant, step.key).value();
            expect(holder && holder->id == step.id, "find_key did not find a step of a chain");
            const auto known = t.insert(again).value();
            expect(!known.inserted && known.id == step.id, "insert made a step of a chain twice");
        });
        expect_campaign(id, counts, "a chain whose step was inserted again");
        finish(step.id);
    }

    void next_due_tells_of_them() {
        const auto next_time = [&] {
            std::optional<TimePoint> time;
            work("next_due", [&](OutboxTransaction& t) { time = t.next_due().value(); });
            return time;
        };
        const auto before = next_time();
        auto chain = insert(recipient_of(next_campaign()));
        chain.state = JobState::delivered;
        chain.chain_due = checked_year(1978);
        save(chain);
        expect(next_time() == checked_year(1978), "next_due is not the chain_due of a job");
        auto price = insert(new_job());
        price.state = JobState::undelivered;
        price.price_due = checked_year(1977);
        save(price);
        expect(next_time() == checked_year(1977), "next_due is not the price_due of a job");
        auto group = next_group();
        group.campaign = next_campaign();
        const auto waits = insert(job_of(group, checked_year(1976)));
        expect(next_time() == checked_year(1976),
               "next_due is not the not_before of a campaign's job");
        finish(waits.id);
        expect(next_time() == checked_year(1977), "next_due tells of a campaign's job that ended");
        price.price_due.reset();
        save(price);
        expect(next_time() == checked_year(1978), "next_due tells of a price that was asked for");
        finish(chain.id);
        finish(price.id);
        expect(next_time() == before, "next_due tells of what has ended");
    }

    // ---- Lists

    void lists_filter_by_campaign() {
        const auto id = next_campaign();
        auto group = next_group();
        std::vector<StoredJob> jobs;
        for (const auto& campaign : {id, std::string{}, id + 'x', id, id, id, id, id}) {
            group.campaign = campaign;
            auto job = job_of(group, checked_year(2010));
            job.tag = jobs.size() == 5 ? "campaign-tag" : "";
            job.customer = jobs.size() == 6 ? "campaign-customer" : "";
            jobs.push_back(insert(job));
        }
        const std::array states{JobState::ready,    JobState::ready,   JobState::held,
                                JobState::held,     JobState::sending, JobState::dead,
                                JobState::accepted, JobState::ready};
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (states[i] == JobState::ready) continue;
            jobs[i].state = states[i];
            if (states[i] == JobState::sending) jobs[i].lease_until = {"check", 1};
            if (i == 3) jobs[i].suspect_since = checked_year(2010);
            save(jobs[i]);
        }
        const auto listed = [&](JobFilter filter) {
            std::vector<JobId> ids;
            work("list", [&](OutboxTransaction& t) { ids = ids_of(t.list(filter).value()); });
            return ids;
        };
        const auto some = [&](const std::vector<std::size_t>& which) {
            std::vector<JobId> ids;
            ids.reserve(which.size());
            for (const auto i : which) ids.push_back(jobs[i].id);
            return ids;
        };
        expect(listed({.campaign = id}) == some({0, 3, 4, 5, 6, 7}),
               "list by campaign did not give exactly its jobs, by their sequence");
        expect(listed({.campaign = id + 'x'}) == some({2}),
               "list by campaign did not give that of a longer name");
        expect(listed({.sender = group.sender}).size() == jobs.size(),
               "list by no campaign did not give those of all");
        for (const auto& [state, which] :
             std::map<JobState, std::vector<std::size_t>>{{JobState::ready, {0, 7}},
                                                          {JobState::held, {3}},
                                                          {JobState::sending, {4}},
                                                          {JobState::dead, {5}},
                                                          {JobState::accepted, {6}},
                                                          {JobState::unknown, {}}}) {
            expect(
                listed({.state = state, .campaign = id}) == some(which),
                "list by campaign and state did not give what is " + std::string{to_string(state)});
        }
        expect(listed({.tag = "campaign-tag", .campaign = id}) == some({5}) &&
                   listed({.tag = "campaign-tag", .campaign = id + 'x'}).empty(),
               "list by campaign and tag gave another's");
        expect(
            listed({.campaign = id, .customers = {"campaign-customer", "nobody"}}) == some({6}) &&
                listed({.campaign = id + 'x', .customers = {"campaign-customer"}}).empty(),
            "list by campaign and customer gave another's");
        expect(listed({.campaign = id, .suspect_only = true}) == some({3}),
               "list by campaign of suspects did not give its one");
        expect(listed({.tenant = group.tenant,
                       .account = group.account,
                       .sender = group.sender,
                       .campaign = id,
                       .after = jobs[0].sequence,
                       .limit = 2}) == some({3, 4}),
               "list by campaign did not go on after a sequence, or kept to no limit");
        expect(listed({.tenant = "nobody", .campaign = id}).empty(),
               "list by campaign and tenant gave another's");
        for (const auto& job : jobs) finish(job.id);
    }

    // ---- Counts

    void expect_campaign(const std::string& campaign, const CampaignCounts& expected,
                         const std::string& what) {
        for (auto* const storage : {storage_.get(), other_.get()}) {
            const auto result =
                transact(*storage, "campaign_counts", [&](OutboxTransaction& t) -> Result<void> {
                    expect_campaign(t, campaign, expected, what);
                    return {};
                });
            static_cast<void>(result);
        }
    }
    void expect_campaign(OutboxTransaction& t, const std::string& campaign,
                         const CampaignCounts& expected, const std::string& what) {
        expect(t.campaign_counts(campaign).value() == expected,
               what + ": campaign_counts gave other counts, or in another order");
    }

    void recipients_are_counted() {
        const auto id = bytes_from(37);
        expect_campaign(id, {}, "a campaign without jobs");
        std::vector<StoredJob> jobs;
        // Variant, step, spend.
        for (const auto& [variant, step, spend] : std::vector<std::array<int, 3>>{
                 {1, 0, 5}, {0, 1, 7}, {0, 0, 11}, {0, 0, 13}, {10, 0, 0}}) {
            auto job = recipient_of(id);
            job.variant = variant;
            job.step = step;
            job.spend = spend;
            jobs.push_back(insert(job));
        }
        const auto ready = JobState::ready;
        const auto none = DeadReason::none;
        expect_campaign(id,
                        {{0, 0, ready, none, 2, 24},
                         {0, 1, ready, none, 1, 7},
                         {1, 0, ready, none, 1, 5},
                         {10, 0, ready, none, 1, 0}},
                        "a campaign whose jobs were inserted");
        jobs[2].state = JobState::dead;
        jobs[2].reason = DeadReason::no_consent;
        jobs[2].spend = 0;
        save(jobs[2]);
        jobs[3].spend = 1'000'000'000'000;
        save(jobs[3]);
        jobs[0].state = JobState::accepted;
        save(jobs[0]);
        jobs[4].state = JobState::dead;
        jobs[4].reason = DeadReason::opted_out;
        save(jobs[4]);
        const CampaignCounts counts{{0, 0, ready, none, 1, 1'000'000'000'000},
                                    {0, 0, JobState::dead, DeadReason::no_consent, 1, 0},
                                    {0, 1, ready, none, 1, 7},
                                    {1, 0, JobState::accepted, none, 1, 5},
                                    {10, 0, JobState::dead, DeadReason::opted_out, 1, 0}};
        expect_campaign(id, counts, "a campaign whose jobs were saved");
        // What is not counted by does not change it.
        auto same = load(jobs[0].id);
        same.status = "delivered";
        same.error_code = 1;
        same.payload.clear();
        save(same);
        work("rewrite", [&](OutboxTransaction& t) {
            auto erased = t.load({&jobs[1].id, 1}).value().at(0);
            erased.customer.clear();
            erased.payload.clear();
            t.rewrite(erased).value();
        });
        expect_campaign(id, counts, "a campaign of which nothing was changed that counts");
        work("rewrite", [&](OutboxTransaction& t) {
            auto erased = t.load({&jobs[1].id, 1}).value().at(0);
            erased.content_hash = "another";
            erased.state = JobState::dead;
            erased.reason = DeadReason::quiet;
            erased.spend = 1;
            t.rewrite(erased).value();
        });
        auto rewritten = counts;
        rewritten[2] = {0, 1, JobState::dead, DeadReason::quiet, 1, 1};
        expect_campaign(id, rewritten, "a campaign of which a job was rewritten");
        for (const auto& job : jobs) finish(job.id);
    }

    /// Changes of one job, and of several, within one work.
    void counts_follow_a_work() {
        const auto id = next_campaign();
        const auto dead = JobState::dead;
        auto first = recipient_of(id);
        first.spend = 3;
        const auto second = recipient_of(id);
        work("save", [&](OutboxTransaction& t) {
            expect_campaign(t, id, {}, "a campaign before its first job");
            t.insert(first).value();
            expect_campaign(t, id, {{0, 0, JobState::ready, DeadReason::none, 1, 3}},
                            "a campaign within the work that inserted its job");
            auto job = t.load({&first.id, 1}).value().at(0);
            job.state = JobState::sending;
            job.lease_until = {"check", 1};
            job.spend = 78'900;
            t.save(job).value();
            job.spend = 90'000;
            t.save(job).value();
            job.state = JobState::dead;
            job.reason = DeadReason::quiet;
            t.save(job).value();
            expect_campaign(t, id, {{0, 0, dead, DeadReason::quiet, 1, 90'000}},
                            "a campaign of which a job was saved several times in one work");
            job.reason = DeadReason::refused;
            job.spend = 0;
            t.save(job).value();
            t.insert(second).value();
            expect_campaign(t, id,
                            {{0, 0, JobState::ready, DeadReason::none, 1, 0},
                             {0, 0, dead, DeadReason::refused, 1, 0}},
                            "a campaign within a work of two jobs");
        });
        expect_campaign(id,
                        {{0, 0, JobState::ready, DeadReason::none, 1, 0},
                         {0, 0, dead, DeadReason::refused, 1, 0}},
                        "a campaign after a work of two jobs");
        // There and back again.
        work("save", [&](OutboxTransaction& t) {
            auto job = t.load({&first.id, 1}).value().at(0);
            for (const auto reason : {DeadReason::no_consent, DeadReason::quiet}) {
                job.reason = reason;
                job.spend += 5;
                t.save(job).value();
            }
            job.reason = DeadReason::refused;
            job.spend = -4;
            t.save(job).value();
        });
        expect_campaign(id,
                        {{0, 0, JobState::ready, DeadReason::none, 1, 0},
                         {0, 0, dead, DeadReason::refused, 1, -4}},
                        "a campaign of which a job came back to what it was");
        finish(first.id);
        finish(second.id);
        expect_campaign(id,
                        {{0, 0, JobState::cancelled, DeadReason::none, 1, 0},
                         {0, 0, JobState::cancelled, DeadReason::refused, 1, -4}},
                        "a campaign whose jobs were cancelled");
    }

    void counts_are_of_one_campaign() {
        const auto id = next_campaign();
        const std::vector<std::string> ids{id, id + '0', id + std::string("\0", 1), id + '%',
                                           id.substr(0, id.size() - 1)};
        std::vector<JobId> jobs;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            for (std::size_t n = 0; n <= i; ++n) jobs.push_back(insert(recipient_of(ids[i])).id);
        }
        const auto alone = insert(new_job());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            expect_campaign(
                ids[i],
                {{0, 0, JobState::ready, DeadReason::none, static_cast<std::int64_t>(i) + 1, 0}},
                "one of several campaigns whose ids begin alike");
        }
        expect_campaign("", {}, "the campaign of no name");
        expect_campaign(id + '_', {}, "a campaign that nobody has");
        for (const auto& job : jobs) finish(job);
        finish(alone.id);
    }

    void what_changes_nothing_is_not_counted() {
        const auto id = next_campaign();
        const auto job = insert(recipient_of(id));
        const CampaignCounts one{{0, 0, JobState::ready, DeadReason::none, 1, 0}};
        auto same = recipient_of(id);
        same.tenant = job.tenant;
        same.key = job.key;
        work("insert", [&](OutboxTransaction& t) {
            expect(!t.insert(same).value().inserted, "insert took a key that is there");
            expect_campaign(t, id, one, "a campaign of which a key was inserted again");
        });
        expect_campaign(id, one, "a campaign of which a key had been inserted again");
        auto stale = job;
        --stale.revision;
        stale.state = JobState::dead;
        const auto result =
            transact(*storage_, "save", [&](OutboxTransaction& t) { return t.save(stale); });
        expect(result && !*result, "save took what another had changed");
        expect_campaign(id, one, "a campaign of which a save was refused");
        finish(job.id);
    }

    void failures_undo_campaigns() {
        const auto id = next_campaign();
        auto job = recipient_of(id);
        job.spend = 2;
        job = insert(job);
        auto campaign = new_campaign(id);
        campaign.definition = "before";
        campaign = insert_campaign(campaign);
        const auto fresh = new_campaign(next_campaign());
        const auto second = recipient_of(id);
        const auto do_all = [&](OutboxTransaction& t) {
            auto changed = job;
            changed.state = JobState::dead;
            changed.reason = DeadReason::quiet;
            changed.spend = 3;
            changed.chain_due = checked_year(1975);
            changed.price_due = checked_year(1975);
            t.save(changed).value();
            t.insert(second).value();
            auto other = campaign;
            other.state = CampaignState::running;
            other.definition = "after";
            t.save_campaign(other).value();
            expect(t.insert_campaign(fresh).value(), "insert_campaign found what was undone");
        };
        const auto expect_undone = [&](const std::string& by) {
            expect_same(job, "a campaign's job whose save was undone by " + by);
            expect_same_campaign(campaign, "a campaign whose save was undone by " + by);
            expect_campaign(id, {{0, 0, JobState::ready, DeadReason::none, 1, 2}},
                            "a campaign whose changes were undone by " + by);
            work("look", [&](OutboxTransaction& t) {
                expect(t.campaigns({&fresh.id, 1}).value().empty(),
                       by + " did not undo insert_campaign");
                expect(t.load({&second.id, 1}).value().empty(), by + " did not undo insert");
                expect(t.due(Due::chain, checked_year(1976), 10).value().empty() &&
                           t.due(Due::price, checked_year(1976), 10).value().empty(),
                       by + " left something due");
            });
        };
        const auto result =
            transact(*storage_, "transact", [&](OutboxTransaction& t) -> Result<void> {
                do_all(t);
                return Error::invalid_request("check", "fails");
            });
        expect(result && !*result, "transact did not answer the error of its work");
        expect_undone("an error");
        try {
            static_cast<void>(storage_->transact([&](OutboxTransaction& t) -> Result<void> {
                do_all(t);
                throw CampaignCheckException{};
            }));
        } catch (const CampaignCheckException&) {
        } catch (const std::exception& exception) {
            fault(std::string("a work failed: ") + exception.what());
        }
        expect_undone("an exception");
        finish(job.id);
    }

    void counts_outlive_their_jobs() {
        const auto id = next_campaign();
        std::vector<StoredJob> jobs;
        for (int i = 0; i < 3; ++i) {
            auto job = insert(recipient_of(id));
            job.state = i == 2 ? JobState::accepted : JobState::delivered;
            job.spend = 10 + i;
            job.updated_at = checked_year(1990);
            save(job);
            jobs.push_back(job);
        }
        const CampaignCounts counts{{0, 0, JobState::accepted, DeadReason::none, 1, 12},
                                    {0, 0, JobState::delivered, DeadReason::none, 2, 21}};
        expect_campaign(id, counts, "a campaign before a purge");
        work("redact", [&](OutboxTransaction& t) { t.redact(checked_year(1991), 100).value(); });
        expect_campaign(id, counts, "a campaign whose payloads were erased");
        work("purge", [&](OutboxTransaction& t) {
            expect(t.purge(checked_year(1991), t.now() + hours{1}, 100).value() == 2,
                   "purge did not remove two jobs of a campaign");
            expect_campaign(t, id, counts, "a campaign within the work that purged its jobs");
        });
        expect_campaign(id, counts, "a campaign whose jobs were purged");
        work("look", [&](OutboxTransaction& t) {
            expect(t.list({.campaign = id}).value().size() == 1,
                   "list by campaign did not give what a purge had left");
        });
        const auto more = insert(recipient_of(id));
        finish(more.id);
        finish(jobs[2].id);
        expect_campaign(id,
                        {{0, 0, JobState::delivered, DeadReason::none, 2, 21},
                         {0, 0, JobState::cancelled, DeadReason::none, 2, 12}},
                        "a campaign that went on after a purge");
    }

    // ---- Several at once

    void counts_of_several_add_up() {
        const auto many = static_cast<std::size_t>(options_.threads);
        // Two threads share one: their works may share a commit.
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(many);
        for (int i = 0; i < options_.threads; ++i) {
            storages.push_back(i % 2 == 0 ? open_() : storages.back());
        }
        const std::array ids{next_campaign(), next_campaign()};
        std::vector<std::thread> threads;
        threads.reserve(many);
        for (int i = 0; i < options_.threads; ++i) {
            threads.emplace_back([&, i] {
                auto& storage = *storages[static_cast<std::size_t>(i)];
                for (int n = 0; n < options_.works_per_thread; ++n) {
                    auto first = recipient_of(ids[static_cast<std::size_t>(n % 2)]);
                    auto second = recipient_of(ids[static_cast<std::size_t>((n + i) % 2)]);
                    first.spend = second.spend = 2;
                    // Every third fails after it has counted.
                    const bool fails = (i + n) % 3 == 0;
                    const auto result =
                        transact(storage, "work", [&](OutboxTransaction& t) -> Result<void> {
                            t.insert(first).value();
                            t.insert(second).value();
                            auto job = t.load({&first.id, 1}).value().at(0);
                            job.state = JobState::dead;
                            job.reason = DeadReason::quiet;
                            job.spend = 7;
                            t.save(job).value();
                            if (fails) return Error::invalid_request("check", "fails");
                            return {};
                        });
                    expect(result && result->has_value() != fails,
                           "a work of several threads got another's answer");
                }
            });
        }
        for (auto& thread : threads) thread.join();
        std::map<std::string, std::pair<std::int64_t, std::int64_t>> sums;
        for (int i = 0; i < options_.threads; ++i) {
            for (int n = 0; n < options_.works_per_thread; ++n) {
                if ((i + n) % 3 == 0) continue;
                ++sums[ids[static_cast<std::size_t>(n % 2)]].first;
                ++sums[ids[static_cast<std::size_t>((n + i) % 2)]].second;
            }
        }
        for (const auto& id : ids) {
            const auto [dead, ready] = sums[id];
            CampaignCounts counts;
            if (ready > 0)
                counts.push_back({0, 0, JobState::ready, DeadReason::none, ready, 2 * ready});
            if (dead > 0)
                counts.push_back({0, 0, JobState::dead, DeadReason::quiet, dead, 7 * dead});
            expect_campaign(id, counts, "a campaign that several have counted");
        }
    }

    /// Of several who change what they have read, each change is kept.
    void one_of_several_saves_a_campaign() {
        const auto campaign = insert_campaign(new_campaign(next_campaign()));
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) storages.push_back(open_());
        std::vector<std::thread> threads;
        threads.reserve(storages.size());
        for (auto& storage : storages) {
            threads.emplace_back([&, own = storage.get()] {
                int times_refused = 0;
                for (int n = 0; n < options_.works_per_thread;) {
                    bool refused = false;
                    const auto result =
                        transact(*own, "save_campaign", [&](OutboxTransaction& t) -> Result<void> {
                            refused = false;
                            auto mine = t.campaigns({&campaign.id, 1}).value().at(0);
                            mine.course += 'x';
                            auto saved = t.save_campaign(mine);
                            refused = !saved;
                            return saved;
                        });
                    if (!result) return;
                    // An engine that lets others write meanwhile refuses who was too late.
                    if (!*result && !refused) return fault("a campaign could not be saved");
                    if (*result) ++n;
                    times_refused = *result ? 0 : times_refused + 1;
                    if (times_refused == 1'000) {
                        return fault("save_campaign refused again and again what was read anew");
                    }
                }
            });
        }
        for (auto& thread : threads) thread.join();
        const auto saved = std::size_t(options_.threads) * std::size_t(options_.works_per_thread);
        expect(load_campaign(campaign.id).course.size() == saved,
               "a change of a campaign was lost while several saved it");
    }
};

}  // namespace

std::vector<std::string> check_outbox_campaigns(const OutboxStorageFactory& open,
                                                const CheckOutboxStorageOptions& options) {
    return OutboxCampaignCheck{open, options}.run();
}

}  // namespace twiliowa::testing::outbox_check
