// Campaigns in a file of SQLite. Adding recipients, beside bare C that inserts the same rows into
// the same tables, 1000 in a commit, in turns in one process on the same disk; sending, beside the
// outbox without a campaign.
//
// Usage: campaign_beside_outbox <directory> [recipients] [rounds]
//        campaign_beside_outbox <directory> outbox|campaign|rules <messages>: only sends and notes
//        them, alone, as a campaign, and with quiet hours and opt-outs asked, for valgrind
//        --tool=callgrind '--toggle-collect=twiliowa::Outbox::run_until_idle()'.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>

#include "measure.hpp"
#include "outbox_sample.hpp"
#include "sqlite_session.hpp"
#include "support/recipient_stream.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::body_of;
using benchmark_support::make_client;
using benchmark_support::median;
using benchmark_support::message_of;
using benchmark_support::need;
using benchmark_support::SqliteSession;
using benchmark_support::wall_seconds;
using twiliowa::test::RecipientStream;

constexpr int in_flight = 50;

CampaignDefinition spring() {
    CampaignDefinition definition;
    definition.id = "spring";
    definition.variants.push_back({.message = OutboundText{.body = body_of(1)}});
    return definition;
}

struct Program {
    explicit Program(const std::string& path, SendingRulesOptions asked = {})
        : rules(std::make_shared<SendingRules>(std::move(asked))),
          outbox(std::make_shared<SqliteOutbox>(path),
                 {.client = [client = make_client()](std::string_view) { return client; },
                  .concurrency = in_flight,
                  .gate = rules}),
          campaigns(outbox, rules) {}

    void add(int recipients) {
        campaigns.create(spring());
        RecipientStream stream{recipients};
        std::istream csv{&stream};
        need(campaigns.add_csv("spring", csv).added == static_cast<std::size_t>(recipients), "add");
    }

    std::shared_ptr<SendingRules> rules;
    Outbox outbox;
    Campaigns campaigns;
};

/// The rows of a table, as text of SQL's values, to be inserted somewhere else.
class RowCopy {
public:
    /// @param rows  what is selected: in the order in which anybody would insert it
    RowCopy(const std::string& from, const std::string& table, const std::string& rows)
        : table_(table) {
        sqlite3* database = nullptr;
        need(sqlite3_open(from.c_str(), &database) == SQLITE_OK, "open");
        sqlite3_stmt* select = nullptr;
        const auto sql = "select " + rows;
        need(sqlite3_prepare_v2(database, sql.c_str(), -1, &select, nullptr) == SQLITE_OK,
             "select");
        while (sqlite3_step(select) == SQLITE_ROW) {
            columns_ = sqlite3_column_count(select);
            for (int i = 0; i < columns_; ++i) {
                values_.push_back(sqlite3_value_dup(sqlite3_column_value(select, i)));
            }
        }
        sqlite3_finalize(select);
        sqlite3_close(database);
    }
    ~RowCopy() {
        for (auto* const value : values_) sqlite3_value_free(value);
    }
    RowCopy(const RowCopy&) = delete;
    RowCopy& operator=(const RowCopy&) = delete;

    std::string insert_sql() const {
        std::string sql = "insert into " + table_ + " values (?";
        for (int i = 1; i < columns_; ++i) sql += ", ?";
        return sql + ")";
    }
    std::size_t rows() const { return values_.size() / static_cast<std::size_t>(columns_); }
    void insert(sqlite3_stmt* statement, std::size_t row) const {
        for (int i = 0; i < columns_; ++i) {
            sqlite3_bind_value(
                statement, i + 1,
                values_[row * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(i)]);
        }
        SqliteSession::execute(statement);
    }

private:
    std::string table_;
    int columns_ = 0;
    std::vector<sqlite3_value*> values_;
};

double insert_bare(const std::string& path, const RowCopy& jobs, const RowCopy& keys) {
    { const SqliteOutbox made{path}; }
    SqliteSession session{path};
    session.run(
        "pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on; "
        "pragma cache_size = -16000; pragma temp_store = memory;");
    auto* const insert_job = session.prepare(jobs.insert_sql().c_str());
    auto* const insert_key = session.prepare(keys.insert_sql().c_str());
    const auto begun = wall_seconds();
    constexpr std::size_t in_one_commit = 1'000;
    for (std::size_t row = 0; row < jobs.rows(); ++row) {
        if (row % in_one_commit == 0) {
            if (row > 0) session.run("commit");
            session.run("begin immediate");
        }
        keys.insert(insert_key, row);
        jobs.insert(insert_job, row);
    }
    session.run("commit");
    return wall_seconds() - begun;
}

void send_only(const std::string& path, std::string_view how, int messages) {
    if (how == "outbox") {
        const auto client = make_client();
        Outbox outbox{
            std::make_shared<SqliteOutbox>(path),
            {.client = [&](std::string_view) { return client; }, .concurrency = in_flight}};
        std::vector<NewJob> jobs;
        for (int n = 0; n < messages; ++n) {
            auto message = message_of(n);
            message.to = "+4477" + std::to_string(10'000'000 + n);
            jobs.push_back({message, {.key = "key-" + std::to_string(n), .lane = Lane::bulk}});
        }
        for (const auto& job : outbox.enqueue_all(jobs)) need(job.has_value(), "enqueue");
        need(outbox.run_until_idle().sent == messages, "sending");
        return;
    }
    SendingRulesOptions options;
    if (how == "rules") {
        options.opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
        options.quiet_hours =
            QuietHoursOptions{.week = QuietHoursOptions::every_day(
                                  {std::chrono::minutes{0}, std::chrono::minutes{1440}})};
    }
    Program program{path, std::move(options)};
    program.add(messages);
    program.campaigns.start("spring");
    need(program.outbox.run_until_idle().sent == messages, "sending");
}

}  // namespace

int main(int count, char** arguments) try {
    if (count < 2) {
        std::fprintf(stderr, "usage: campaign_beside_outbox <directory> [recipients] [rounds]\n");
        return 2;
    }
    const auto folder = std::filesystem::path{arguments[1]};
    if (count == 4 && std::atoi(arguments[3]) > 0 && std::atoi(arguments[2]) == 0) {
        send_only((folder / "send.db").string(), arguments[2], std::atoi(arguments[3]));
        return 0;
    }
    const int recipients = count > 2 ? std::atoi(arguments[2]) : 100'000;
    const int rounds = count > 3 ? std::atoi(arguments[3]) : 3;
    std::vector<double> ratios;
    std::vector<double> seconds;
    std::vector<double> bare_seconds;
    for (int round = 0; round < rounds; ++round) {
        const auto path = (folder / ("added" + std::to_string(round) + ".db")).string();
        {
            Program program{path};
            const auto begun = wall_seconds();
            program.add(recipients);
            seconds.push_back(wall_seconds() - begun);
        }
        const RowCopy jobs{path, "outbox_job", "* from outbox_job order by sequence"};
        // Each with its job, and not one after the other.
        const RowCopy keys{path, "outbox_key",
                           "keys.* from outbox_job as job join outbox_key as keys on "
                           "keys.tenant = job.tenant and keys.key = job.key order by job.sequence"};
        need(keys.rows() == jobs.rows(), "a key for each job");
        bare_seconds.push_back(
            insert_bare((folder / ("bare" + std::to_string(round) + ".db")).string(), jobs, keys));
        ratios.push_back(seconds.back() / bare_seconds.back());
    }
    std::printf(
        "%d recipients added: %.2f s, bare inserts of the same rows %.2f s, ratio %.2f "
        "(target 1.3)\n",
        recipients, median(seconds), median(bare_seconds), median(ratios));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
