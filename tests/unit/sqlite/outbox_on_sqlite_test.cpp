/// What an outbox promises, on the files of SQLite.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/outbox_telling.hpp"
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

TEST_CASE("what has been erased is in no file any more") {
    FileService files{{.payload_kept = 0ms}};
    auto& service = files.service;
    const auto job = service.enqueue("The secret of the day");
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    REQUIRE(service.state(job) == JobState::delivered);
    const auto done = files.open(files.path)->transact([&](twiliowa::OutboxTransaction& t) {
        return t.redact(t.now() + 1s, 100).transform([](std::int64_t) { return 0; }).has_value()
                   ? twiliowa::Result<void>{}
                   : twiliowa::store_error("redact failed");
    });
    CHECK(done);
    service.outbox.reset();
    CHECK_FALSE(files.files_hold("secret of the day"));
    service.restart();
    CHECK_FALSE(service.job(job).message);
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

TEST_CASE("a backup that is put elsewhere sends nothing a second time") {
    FileService files;
    auto& service = files.service;
    for (int i = 0; i < 50; ++i) service.enqueue("Text " + std::to_string(i));
    {
        Database database{files.path};
        REQUIRE(database.run("vacuum into '" + files.directory + "/backup.db'"));
    }
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 50);
    service.wrapped = [&] { return files.open(files.directory + "/backup.db"); };
    service.restart();
    service.advance(1min);
    for (int i = 0; i < 5; ++i) {
        service.outbox->run_until_idle();
        service.advance(1h);
    }
    CHECK(service.at_twilio() == 50);
    CHECK(service.outbox->counts().of(JobState::accepted) == 50);
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
    // Its log goes with the last that uses the file.
    service.outbox.reset();
    if (options.sealer) CHECK_FALSE(files.files_hold("From elsewhere"));
}

}  // namespace outbox_on_sqlite_test
