/// Quotas of jobs in a file that several processes share.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_quotas_on_sqlite_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::WatchedClient;
using sqlite_test::Database;
using sqlite_test::FileService;

namespace {

OutboxOptions month_of(QuotaAmount limit, int concurrency = 50) {
    OutboxOptions options;
    options.concurrency = concurrency;
    options.quotas.emplace();
    options.quotas->windows = {QuotaWindow::per_month(limit)};
    return options;
}

/// What the file says that all months together have used, in thousandths.
std::string used_in(const FileService& files) {
    return Database{files.path}.text_of(
        "select coalesce(sum(used), 0) from outbox_quota_count where period = 0");
}

}  // namespace

TEST_CASE("two workers on one file never send more than a quota holds") {
    FileService files{month_of(40, 3)};
    for (int i = 0; i < 100; ++i) {
        files.service.enqueue("Text " + std::to_string(i), {.quota = "org"});
    }
    std::vector<std::thread> workers;
    for (int i = 0; i < 2; ++i) {
        workers.emplace_back([&] {
            Outbox own{files.open(files.path), files.service.options};
            own.run_until_idle();
        });
    }
    for (auto& worker : workers) worker.join();
    CHECK(files.service.at_twilio() == 40);
    CHECK(files.service.outbox->counts().of(JobState::accepted) == 40);
    CHECK(files.service.outbox->counts().of(JobState::held) == 60);
    CHECK(used_in(files) == "40000");
}

TEST_CASE("a process that is killed between the reservation and the send leaves a count of one") {
    FileService files{month_of(2)};
    const auto job = files.service.enqueue("Hi", {.quota = "org"});
    files.service.enqueue("Second", {.quota = "org"});
    files.service.outbox.reset();
    const auto child = ::fork();
    if (child == 0) {
        const WatchedClient watched{files.service};
        watched.transport->before = [](const std::string&) { ::_exit(7); };
        files.service.options.concurrency = 1;
        Outbox own{files.open(files.path), files.service.options};
        own.run_until_idle();
        ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WEXITSTATUS(status) == 7);
    CHECK(used_in(files) == "1000");
    files.service.restart();
    files.service.advance(5min);
    files.service.outbox->run_until_idle();
    CHECK(files.service.state(job) == JobState::unknown);
    CHECK(files.service.at_twilio() == 1);
    CHECK(used_in(files) == "2000");
    CHECK(files.service.outbox->resolve(job.id, Resolution::not_sent()));
    CHECK(used_in(files) == "1000");
    files.service.outbox->run_until_idle();
    CHECK(files.service.at_twilio() == 2);
    CHECK(used_in(files) == "2000");
}

TEST_CASE("a program in another language hands over a job with a quota") {
    FileService files{month_of(5)};
    const Database database{files.path};
    REQUIRE(
        database.run("insert into outbox_message (key, not_before, quota, cost, payload) values "
                     "('a', 0, 'org', 1500, "
                     "'{\"to\": \"+447700900123\", \"body\": \"Hi\"}')"));
    REQUIRE(database.run(
        "insert into outbox_message (key, not_before, quota, payload) values ('b', 0, 'org', "
        "'{\"to\": \"+447700900123\", \"body\": \"Ho\"}')"));
    REQUIRE(
        database.run("insert into outbox_message (key, not_before, quota, cost, payload) values "
                     "('c', 0, 'org', 0, "
                     "'{\"to\": \"+447700900123\", \"body\": \"Hu\"}')"));
    REQUIRE(
        database.run("insert into outbox_message (key, not_before, payload) values ('d', 0, "
                     "'{\"to\": \"+447700900123\", \"body\": \"Hey\"}')"));
    files.service.outbox->run_until_idle();
    CHECK(files.service.at_twilio() == 3);
    CHECK(used_in(files) == "2500");
    CHECK(files.service.outbox->find("", "c")->state == JobState::dead);
    CHECK(files.service.outbox->find("", "a")->cost == QuotaAmount::thousandths(1'500));
}

TEST_CASE("a job without a quota runs no statement more") {
    FileService files{month_of(5)};
    files.service.enqueue("Hi");
    files.service.outbox->run_until_idle();
    CHECK(files.service.at_twilio() == 1);
    CHECK(Database{files.path}.text_of("select count(*) from outbox_quota_count") == "0");
    CHECK(Database{files.path}.text_of("select quota || counted || cost from outbox_job") == "0");
}

}  // namespace outbox_quotas_on_sqlite_test
