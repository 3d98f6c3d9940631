/// What an outbox promises, on the files of SQLite.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/outbox_telling.hpp"
#include "unit/outbox/sealed_rows.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_on_sqlite_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using sqlite_test::Database;
using sqlite_test::FileService;
using twiliowa::JobState;
using twiliowa::OutboundText;
using twiliowa::Outbox;

namespace {

twiliowa::Sealer some_sealer() {
    return twiliowa::Sealer{twiliowa::KeyRing::parse(twiliowa::KeyRing::new_key("k1").reveal())};
}

/// How many payloads are erased by the service's own outbox, of jobs that are final.
std::int64_t erase(const FileService& files, std::size_t limit, std::chrono::seconds age = 1s) {
    std::int64_t erased = -1;
    const auto done = files.in_use.lock()->transact(
        [&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            const auto some = transaction.redact(transaction.now() + age, limit);
            if (!some) return some.error();
            erased = *some;
            return {};
        });
    CHECK(done);
    return erased;
}

}  // namespace

TEST_CASE("a file of sealed jobs holds no number, key or text, its log neither") {
    twiliowa::OutboxOptions options;
    SUBCASE("sealed") {
        options.sealer = some_sealer();
    }
    SUBCASE("in the clear, so that this test can see them") {}
    FileService files{options};
    auto& service = files.service;
    const bool sealed = options.sealer.has_value();
    service.fake->next_fault(twiliowa::testing::Fault::close_after);
    const auto job = service.outbox->enqueue(
        OutboundText{.to = customer, .body = "The secret of the day"},
        {.key = "key-of-the-customer", .order_key = "order-of-the-customer"});
    service.enqueue("Another text", {.order_key = "order-of-the-customer"});
    const auto check = [&] {
        for (const auto* const text : {"447700900123", "secret of the day", "key-of-the-customer",
                                       "order-of-the-customer"}) {
            CAPTURE(text);
            CHECK(files.files_hold(text) != sealed);
        }
    };
    check();
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    service.outbox->run_until_idle();
    check();
    CHECK(service.state(job) == JobState::delivered);
    service.outbox.reset();
    check();
    service.restart();
    CHECK(service.outbox->find("", "key-of-the-customer")->message->body ==
          "The secret of the day");
}

TEST_CASE("what has been erased is in no file any more, its log neither") {
    FileService files;
    auto& service = files.service;
    const auto job = service.enqueue("The secret of the day");
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    REQUIRE(service.state(job) == JobState::delivered);
    REQUIRE(files.files_hold("secret of the day"));
    SUBCASE("redacted") {
        CHECK(erase(files, 100) == 1);
        CHECK_FALSE(service.job(job).message);
    }
    SUBCASE("purged") {
        service.advance(1s);
        CHECK(service.outbox->try_purge(service.options.clock->now()).value() == 1);
        CHECK_FALSE(service.outbox->find(job.id));
    }
    SUBCASE("as many as were asked for, so that there may be more") {
        CHECK(erase(files, 1) == 1);
        CHECK(files.files_hold("secret of the day"));
        CHECK(erase(files, 1) == 0);
    }
    // The outbox is still open.
    CHECK_FALSE(files.files_hold("secret of the day"));
}

TEST_CASE("a log with nothing erased in it is left as it is") {
    FileService files;
    files.service.enqueue("Any text");
    files.service.outbox->run_until_idle();
    files.service.outbox->learn(files.service.callback("delivered"));
    const auto log = files.path + "-wal";
    const auto before = std::filesystem::file_size(log);
    CHECK(before > 0);
    CHECK(erase(files, 100, -1h) == 0);
    CHECK(std::filesystem::file_size(log) >= before);
}

TEST_CASE("who reads a file for long keeps no erasing from success") {
    FileService files;
    auto& service = files.service;
    for (const auto* const text : {"The secret of the day", "Another"}) {
        service.enqueue(text);
        service.outbox->run_until_idle();
        service.outbox->learn(service.callback("delivered"));
    }
    {
        Database reader{files.path};
        REQUIRE(reader.run("begin; select count(*) from outbox_job"));
        CHECK(erase(files, 1) == 1);
        CHECK(erase(files, 100) == 1);
        CHECK(files.files_hold("secret of the day"));
        REQUIRE(reader.run("commit"));
    }
    SUBCASE("the next look for what is to be erased makes up for it") {
        CHECK(erase(files, 100) == 0);
    }
    SUBCASE("so does the end of the program, beside others") {
        const auto other = files.open(files.path);
        service.outbox.reset();
        CHECK_FALSE(files.files_hold("secret of the day"));
    }
    CHECK_FALSE(files.files_hold("secret of the day"));
}

TEST_CASE("two and four workers on one file send each message once") {
    for (const int workers : {2, 4}) {
        FileService files{{.concurrency = 7}};
        auto& service = files.service;
        for (int i = 0; i < 100; ++i) service.enqueue("Text " + std::to_string(i));
        std::vector<std::unique_ptr<Outbox>> outboxes;
        for (int i = 0; i < workers; ++i) {
            outboxes.push_back(std::make_unique<Outbox>(files.open(files.path), service.options));
        }
        std::vector<std::thread> threads;
        for (auto& outbox : outboxes) {
            threads.emplace_back([&outbox] { outbox->run_until_idle(); });
        }
        for (auto& thread : threads) thread.join();
        for (auto& outbox : outboxes) outbox->run_until_idle();
        CHECK(files.at_twilio().size() == 100);
        for (const auto& [body, count] : files.at_twilio()) CHECK(count == 1);
        CHECK(service.outbox->counts().of(JobState::accepted) == 100);
    }
}

TEST_CASE("of those who work on one file one is told at a time, and another after it") {
    FileService files;
    const auto open = [&] { return files.open(files.path); };
    SUBCASE("while one tells") {
        outbox_test::tell_by_one(files.service, open);
    }
    SUBCASE("after one that died") {
        outbox_test::tell_after_the_dead(files.service, open);
    }
    SUBCASE("beside one that stood still") {
        outbox_test::tell_no_more_without_a_lease(files.service, open);
    }
}

TEST_CASE("a backup that is put elsewhere sends nothing a second time" *
          doctest::test_suite("at scale")) {
    const int jobs = twiliowa::test::at_scale(50, 1'000);
    const auto sent = static_cast<std::size_t>(jobs);
    FileService files;
    auto& service = files.service;
    for (int i = 0; i < jobs; ++i) service.enqueue("Text " + std::to_string(i));
    {
        Database database{files.path};
        REQUIRE(database.run("vacuum into '" + files.directory + "/backup.db'"));
    }
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == sent);
    service.wrapped = [&] { return files.open(files.directory + "/backup.db"); };
    service.restart();
    service.advance(1min);
    for (int i = 0; i < 5; ++i) {
        service.outbox->run_until_idle();
        service.advance(1h);
    }
    CHECK(service.at_twilio() == sent);
    CHECK(service.outbox->counts().of(JobState::accepted) == jobs);
}

TEST_CASE("a job that is handed over in the program's transaction is there with its commit") {
    FileService files;
    auto& service = files.service;
    Database shop{files.path};
    REQUIRE(shop.run("create table shop_order (id integer primary key)"));
    const OutboundText message{.to = customer, .body = "Thank you"};
    const auto order = [&](const char* end) {
        REQUIRE(shop.run("begin immediate"));
        REQUIRE(shop.run("insert into shop_order default values"));
        const auto job =
            twiliowa::try_enqueue_in(shop.handle, *service.outbox, message, {.key = "order-1"});
        REQUIRE(shop.run(end));
        return job;
    };
    CHECK(order("rollback"));
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 0);
    CHECK_FALSE(service.outbox->find("", "order-1"));
    CHECK_FALSE(order("commit")->existed);
    CHECK(order("commit")->existed);
    // What is refused ends no transaction, either.
    REQUIRE(shop.run("begin immediate"));
    CHECK_FALSE(twiliowa::try_enqueue_in(shop.handle, *service.outbox,
                                         OutboundText{.to = customer, .body = "Another"},
                                         {.key = "order-1"}));
    CHECK(shop.run("commit"));
    CHECK_FALSE(
        twiliowa::try_enqueue_in(shop.handle, *service.outbox, message, {.key = "order-2"}));
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("another language hands over by an INSERT, and what is wrong with one is told") {
    twiliowa::OutboxOptions options;
    SUBCASE("in the clear") {}
    SUBCASE("in a sealed outbox, which seals it then") {
        options.sealer = some_sealer();
    }
    FileService files{options};
    auto& service = files.service;
    {
        Database other{files.path};
        // The clock of SQLite is not the test's.
        REQUIRE(other.run(R"(insert into outbox_message (key, payload, not_before) values
            ('k1', '{"to":"+447700900123","body":"From elsewhere"}', 0),
            ('k2', '{"to":"nobody","body":"Hi"}', 0), ('k3', 'no json', 0))"));
        CHECK_FALSE(other.run("insert into outbox_message (key, payload) values ('k1', '{}')"));
    }
    service.outbox->run_until_idle();
    CHECK(files.at_twilio() == std::map<std::string, int>{{"From elsewhere", 1}});
    CHECK(service.outbox->find("", "k1")->state == JobState::accepted);
    for (const auto* const key : {"k2", "k3"}) {
        const auto wrong = service.outbox->find("", key);
        REQUIRE(wrong);
        CHECK(wrong->state == JobState::dead);
        CHECK_FALSE(wrong->problem.empty());
    }
    const OutboundText same{.to = customer, .body = "From elsewhere"};
    auto with_sender = same;
    with_sender.from = service.client->send_defaults().from;
    CHECK(service.outbox->enqueue(with_sender, {.key = "k1"}).existed);
    if (options.sealer) CHECK_FALSE(files.files_hold("From elsewhere"));
}

TEST_CASE("another language hands over what it has sealed itself, and may be held to that") {
    twiliowa::OutboxOptions options;
    options.sealer = some_sealer();
    SUBCASE("and what is in the clear is sealed then") {}
    SUBCASE("and nothing else") {
        options.refuse_unsealed_rows = true;
    }
    FileService files{options};
    const Database other{files.path};
    outbox_test::take_sealed_rows(
        files.service, *options.sealer, [&](const std::string& key, const std::string& payload) {
            REQUIRE(other.run("insert into outbox_message (key, payload, not_before) values ('" +
                              key + "', '" + payload + "', 0)"));
        });
    for (const auto* const text : {"Sealed elsewhere", "In the clear", "447700900123", "invoice"}) {
        CHECK_FALSE(files.files_hold(text));
    }
}

TEST_CASE("no error and no reason quotes what a row holds") {
    FileService files;
    auto& service = files.service;
    const auto stored = service.enqueue("CANARY", {.key = "CANARY", .order_key = "CANARY"});
    const auto storage = files.in_use.lock();
    const Database other{files.path};
    std::vector<std::string> said;
    const auto fail = [&](const twiliowa::OutboxStorage::Work& work) {
        const auto done = storage->transact(work);
        REQUIRE_FALSE(done.has_value());
        const auto& error = done.error();
        said.push_back(std::string{error.what()}.append(error.message()).append(error.hint()));
    };
    const auto fail_to_insert = [&](const std::function<void(twiliowa::StoredJob&)>& spoil) {
        twiliowa::StoredJob job;
        job.key = "CANARY of " + std::to_string(said.size());
        job.content_hash = "hash";
        job.customer = "CANARY";
        job.payload = "CANARY";
        spoil(job);
        fail([&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            const auto inserted = transaction.insert(job);
            return inserted ? twiliowa::Result<void>{} : inserted.error();
        });
    };
    fail_to_insert([](auto& job) { job.sender = std::string(5'000, 'C') + "CANARY"; });
    fail_to_insert([](auto& job) { job.key = std::string(5'000, 'C') + "CANARY"; });
    fail_to_insert([](auto& job) { job.lane = static_cast<twiliowa::Lane>(9); });
    // A statement of a trigger may say anything.
    REQUIRE(
        other.run("create trigger program after update on outbox_job begin "
                  "select raise(abort, 'CANARY'); end"));
    fail([&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
        auto job = transaction.load({&stored.id, 1}).value().front();
        job.payload.clear();
        return transaction.save(job);
    });
    REQUIRE(other.run("drop trigger program"));
    // What another program puts in is refused by names that are ours.
    for (const std::string payload :
         {"CANARY", R"({"to":"CANARY","body":"CANARY"})", R"({"CANARY":"CANARY"})",
          R"({"to":"+447700900123","body":{"CANARY":1}})",
          R"({"to":"+447700900123","content_sid":"CANARY"})", R"({"sealed":"CANARY"})"}) {
        CAPTURE(payload);
        const auto key = "row-" + std::to_string(said.size());
        REQUIRE(other.run("insert into outbox_message (key, payload, not_before) values ('" + key +
                          "', '" + payload + "', 0)"));
        service.outbox->run_until_idle();
        const auto job = service.outbox->find("", key);
        CHECK(job->state == JobState::dead);
        CHECK_FALSE(job->problem.empty());
        said.push_back(job->problem);
    }
    for (const auto& text : said) CHECK(text.find("CANARY") == std::string::npos);
    CHECK(said.size() == 10);
}

}  // namespace outbox_on_sqlite_test
