/// Jobs of campaigns in a file, and that those of none cost nothing more.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "unit/outbox/outbox_service.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_campaigns_on_sqlite_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using sqlite_test::Database;
using sqlite_test::FileService;
using sqlite_test::TestDirectory;

namespace {

StoredJob recipient(std::string_view campaign, int number) {
    StoredJob job;
    JobId::Bytes bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<unsigned char>(number >> (8 * static_cast<int>(i)));
    }
    job.id = JobId{bytes};
    job.key = std::string{campaign} + '/' + std::to_string(number);
    job.content_hash = "hash";
    job.payload = "{}";
    job.sender = "whatsapp:+15005550006";
    job.campaign = campaign;
    job.created_at = job.updated_at = job.not_before = TimePoint{} + std::chrono::seconds{number};
    return job;
}

/// A file of an outbox, without a service.
struct CampaignFile {
    TestDirectory own;
    std::string path = own.path + "/outbox.db";
    SqliteOutbox storage{path};

    void work(const std::function<void(OutboxTransaction&)>& do_it) {
        storage
            .transact([&](OutboxTransaction& t) -> Result<void> {
                do_it(t);
                return {};
            })
            .value();
    }
    std::string text_of(const std::string& sql) const { return Database{path}.text_of(sql); }
};

/// How many steps SQLite took for it.
std::int64_t steps_of(OutboxTransaction& t, const std::function<void()>& do_it) {
    std::int64_t steps = 0;
    const auto count = [](void* steps_taken) {
        ++*static_cast<std::int64_t*>(steps_taken);
        return 0;
    };
    auto* const database = t.native().sqlite;
    sqlite3_progress_handler(database, 1, count, &steps);
    do_it();
    sqlite3_progress_handler(database, 0, nullptr, nullptr);
    return steps;
}

}  // namespace

TEST_CASE("a job without a campaign is written without a word of campaigns") {
    FileService files;
    std::vector<std::string> written;
    const auto keep = [](unsigned, void* to, void* statement, void*) {
        const std::string_view sql = sqlite3_sql(static_cast<sqlite3_stmt*>(statement));
        if (sql.starts_with("insert") || sql.starts_with("update")) {
            static_cast<std::vector<std::string>*>(to)->emplace_back(sql);
        }
        return 0;
    };
    const auto storage = files.open(files.path);
    files.service.wrapped = [&] { return storage; };
    files.service.restart();
    const auto watch = [&](unsigned what) {
        storage
            ->transact([&](OutboxTransaction& t) -> Result<void> {
                sqlite3_trace_v2(t.native().sqlite, what, keep, &written);
                return {};
            })
            .value();
    };
    watch(SQLITE_TRACE_STMT);
    const auto job = files.service.enqueue("Hi");
    files.service.outbox->run_until_idle();
    watch(0);
    CHECK(files.service.state(job) == JobState::accepted);
    CHECK(written.size() > 4);
    for (const auto& sql : written) {
        CAPTURE(sql);
        for (const auto* const word : {"campaign", "spend", "chain_due", "later_reason"}) {
            CHECK(sql.find(word) == std::string::npos);
        }
    }
    const Database file{files.path};
    CHECK(file.text_of("select campaign || variant || step || spend || "
                       "coalesce(chain_due, price_due, later_reason, '') from outbox_job") ==
          "000");
    CHECK(file.text_of("select count(*) from outbox_campaign_count") == "0");
}

TEST_CASE("a later reason stands in a column of its own") {
    CampaignFile file;
    auto job = recipient("spring", 1);
    file.work([&](OutboxTransaction& t) {
        t.insert(job).value();
        job = t.load({&job.id, 1}).value().at(0);
        job.state = JobState::dead;
        job.reason = DeadReason::quiet;
        t.save(job).value();
    });
    CHECK(file.text_of("select reason || '/' || later_reason from outbox_job") == "0/7");
    CHECK(file.text_of("select reason from outbox_campaign_count where jobs > 0") == "7");
    file.work([&](OutboxTransaction& t) {
        job.reason = DeadReason::opted_out;
        t.save(job).value();
    });
    CHECK(file.text_of("select reason || '/' || coalesce(later_reason, '-') from outbox_job") ==
          "4/-");
}

TEST_CASE("what the file counts of a campaign is what its jobs say") {
    CampaignFile file;
    // Works of several threads share commits, and some of them fail.
    const auto put = [&](int number) {
        const auto fails = number % 7 == 0;
        const auto done = file.storage.transact([&](OutboxTransaction& t) -> Result<void> {
            auto job = recipient(number % 3 == 0 ? "spring" : "summer", number);
            job.variant = number % 2;
            job.spend = number;
            t.insert(job).value();
            if (number % 5 != 0) {
                job = t.load({&job.id, 1}).value().at(0);
                job.state = JobState::dead;
                job.reason = number % 4 == 0 ? DeadReason::refused : DeadReason::no_consent;
                job.spend = -number;
                t.save(job).value();
            }
            if (fails) return Error::invalid_request("test", "fails");
            return {};
        });
        return done.has_value() != fails;
    };
    constexpr int each = 30;
    std::atomic<int> as_expected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&, i] {
            for (int n = 0; n < each; ++n) as_expected += put(i * each + n) ? 1 : 0;
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(as_expected == 16 * each);
    CHECK(file.storage.stats().commits < file.storage.stats().works);
    const std::string of_jobs =
        "select campaign, variant, step, state, coalesce(later_reason, reason), count(*), "
        "sum(spend) from outbox_job group by 1, 2, 3, 4, 5";
    const std::string counted =
        "select campaign, variant, step, state, reason, jobs, spend from outbox_campaign_count "
        "where jobs <> 0";
    CHECK(file.text_of("select count(*) > 5 from (" + counted + ")") == "1");
    CHECK(file.text_of("select count(*) from (" + of_jobs + " except " + counted + ")") == "0");
    CHECK(file.text_of("select count(*) from (" + counted + " except " + of_jobs + ")") == "0");
    CHECK(file.text_of("select count(*) from outbox_campaign_count where jobs < 0 or "
                       "(jobs = 0 and spend <> 0)") == "0");
}

TEST_CASE("a program's own transaction hands over and counts a campaign's job") {
    CampaignFile file;
    const Database program{file.path};
    REQUIRE(program.run("begin immediate"));
    auto job = recipient("spring", 1);
    job.spend = 5;
    CHECK(SqliteOutbox::insert_into(program.handle, job).value().inserted);
    job.order_key = "order";
    job.key = "second";
    job.id = recipient("spring", 2).id;
    CHECK(SqliteOutbox::insert_into(program.handle, job).value().inserted);
    job.id = recipient("spring", 3).id;
    CHECK_FALSE(SqliteOutbox::insert_into(program.handle, job).value().inserted);
    REQUIRE(program.run("commit"));
    file.work([](OutboxTransaction& t) {
        const CampaignCount both{0, 0, JobState::ready, DeadReason::none, 2, 10};
        CHECK(t.campaign_counts("spring").value() == std::vector{both});
        CHECK(t.counts().value()[JobState::ready] == 2);
    });
}

TEST_CASE("what a file cannot keep of a campaign is refused") {
    CampaignFile file;
    const auto insert = [&](const StoredCampaign& campaign) {
        return file.storage.transact([&](OutboxTransaction& t) -> Result<void> {
            const auto inserted = t.insert_campaign(campaign);
            return inserted ? Result<void>{} : inserted.error();
        });
    };
    CHECK(insert({.id = std::string(100, '\0')}).has_value());
    CHECK_FALSE(insert({.id = ""}).has_value());
    CHECK_FALSE(insert({.id = std::string(101, '\0')}).has_value());
    CHECK_FALSE(insert({.id = "a", .definition = std::string((256 << 10) + 1, '\0')}).has_value());
    const auto too_long = file.storage.transact([](OutboxTransaction& t) -> Result<void> {
        const auto inserted = t.insert(recipient(std::string(101, 'c'), 1));
        return inserted ? Result<void>{} : inserted.error();
    });
    CHECK_FALSE(too_long.has_value());
    CHECK(file.text_of("select count(*) from outbox_campaign") == "1");
    CHECK(file.text_of("select count(*) from outbox_job") == "0");
}

TEST_CASE("finding jobs takes as many steps with many jobs of many campaigns as with few") {
    CampaignFile file;
    int number = 0;
    const auto put = [&](int count) {
        file.work([&](OutboxTransaction& t) {
            for (int i = 0; i < count; ++i) {
                for (const auto* const campaign : {"", "spring", "summer"}) {
                    auto job = recipient(campaign, ++number);
                    t.insert(job).value();
                    // What is final of each, too.
                    auto done = recipient(campaign, ++number);
                    t.insert(done).value();
                    done = t.load({&done.id, 1}).value().at(0);
                    done.state = JobState::delivered;
                    done.price_due = done.chain_due = done.updated_at;
                    t.save(done).value();
                }
            }
        });
    };
    const auto steps_of_each = [&] {
        const auto now = TimePoint{} + 1h * 24 * 365;
        std::vector<std::int64_t> steps;
        file.work([&](OutboxTransaction& t) {
            steps.push_back(steps_of(t, [&] { CHECK(t.ready_groups().value().size() == 3); }));
            for (const auto* const campaign : {"", "spring"}) {
                const ReadyGroup group{"whatsapp:+15005550006", Lane::normal, "", "", campaign};
                steps.push_back(steps_of(t, [&] {
                    CHECK(t.ready({group, now, now, 5}).value().size() == 5);
                }));
            }
            steps.push_back(steps_of(t, [&] { CHECK(t.next_due().value().has_value()); }));
            for (const auto what : {Due::chain, Due::price}) {
                steps.push_back(
                    steps_of(t, [&] { CHECK(t.due(what, now, 5).value().size() == 5); }));
            }
            steps.push_back(steps_of(
                t, [&] { CHECK(t.list({.campaign = "summer", .limit = 5}).value().size() == 5); }));
            steps.push_back(steps_of(t, [&] {
                CHECK(t.list({.state = JobState::delivered, .campaign = "summer", .limit = 5})
                          .value()
                          .size() == 5);
            }));
            steps.push_back(
                steps_of(t, [&] { CHECK(t.campaign_counts("summer").value().size() == 2); }));
        });
        return steps;
    };
    put(20);
    const auto few = steps_of_each();
    put(400);
    CHECK(steps_of_each() == few);
}

TEST_CASE("a page of many quotas takes as many steps as it has counts") {
    CampaignFile file;
    const auto minute = TimePoint{} + 1h;
    const auto put = [&](int from, int to) {
        file.work([&](OutboxTransaction& t) {
            for (int i = from; i < to; ++i) {
                t.count_quota({"budget-" + std::to_string(10'000 + i), {60, minute}, 1, 0, minute})
                    .value();
            }
        });
    };
    const auto steps_of_page = [&](const std::string& after) {
        std::int64_t steps = 0;
        file.work([&](OutboxTransaction& t) {
            steps = steps_of(t, [&] {
                const auto page =
                    t.quota_histories("budget-", 60, minute, minute + 1s, after, 10).value();
                CHECK(page.size() == 10);
            });
        });
        return steps;
    };
    put(0, 30);
    const auto few = steps_of_page("budget-10010");
    put(30, 2'000);
    CHECK(steps_of_page("budget-10010") == few);
    CHECK(steps_of_page("budget-11900") == few);
}

}  // namespace outbox_campaigns_on_sqlite_test
