/// An outbox in a file whose disk is full, fails, or is somebody else's.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/state/store.hpp>

#include "support/at_scale.hpp"
#include "support/show.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"
#include "unit/sqlite/file_service.hpp"
#include "unit/sqlite/recording_vfs.hpp"

namespace outbox_failing_disk_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using sqlite_test::Database;
using sqlite_test::FileService;
using sqlite_test::RecordingVfs;
using twiliowa::Evidence;
using twiliowa::JobState;
using twiliowa::OutboundText;
using twiliowa::test::at_scale;
using twiliowa::test::containing;

namespace {

/// A program that goes on whatever fails, and what it was told.
class StubbornProgram {
public:
    StubbornProgram() : watched_(service()) {
        watched_.transport->before = [this](const std::string& text) { left.insert(text); };
        service().restart();
    }

    outbox_test::Service& service() { return files_.service; }
    const FileService& files() const { return files_; }

    void enqueue(const std::string& key) {
        if (!service().outbox) return;
        const auto answer =
            service().outbox->try_enqueue(OutboundText{.to = customer, .body = key}, {.key = key});
        (answer ? taken : refused).insert(key);
        if (!answer) note(answer.error());
    }
    void run() {
        if (!service().outbox) return;
        if (const auto done = service().outbox->try_run_until_idle(); !done) note(done.error());
    }
    void learn() {
        if (!service().outbox || service().at_twilio() == 0) return;
        const auto done = service().outbox->try_learn(service().callback("delivered"));
        if (!done) note(done.error());
    }
    void restart() {
        try {
            service().restart();
        } catch (const twiliowa::TransportError& error) {
            note(error.error());
        }
    }

    std::set<std::string> taken = {};
    std::set<std::string> refused = {};
    std::set<std::string> left = {};
    std::map<std::string, int> told = {};  ///< Each error, and how often.
    bool unnamed = false;                  ///< One was not the storage's, or says no way out.

private:
    void note(const twiliowa::Error& error) {
        ++told[error.what()];
        if (!is_store_error(error) || error.hint().empty()) unnamed = true;
    }

    FileService files_;
    outbox_test::WatchedClient watched_;
};

/// Everything that a program does, each of which may fail.
void go_through_all(StubbornProgram& program) {
    program.enqueue("one");
    program.enqueue("two");
    program.run();
    program.learn();
    program.enqueue("three");
    program.restart();
    program.enqueue("four");
    program.run();
    program.service().outbox.reset();
}

}  // namespace

TEST_CASE(
    "whatever write of a disk fails is told by name, and nothing is lost, or sent without its "
    "record" *
    doctest::test_suite("at scale")) {
    const int stride = at_scale(17, 1);
    int code = SQLITE_FULL;
    std::string name = "store: has no room to write";
    bool lasting = false;
    SUBCASE("no room, once") {}
    SUBCASE("no room from then on") {
        lasting = true;
    }
    SUBCASE("an error, once") {
        code = SQLITE_IOERR;
        name = "store: cannot be read or written";
    }
    SUBCASE("an error from then on") {
        code = SQLITE_IOERR;
        name = "store: cannot be read or written";
        lasting = true;
    }
    RecordingVfs disk;
    disk.records = false;
    disk.syncs = false;
    bool failed = true;
    int errors = 0;
    for (int n = 0; failed; n += stride) {
        CAPTURE(n);
        StubbornProgram program;
        auto& service = program.service();
        disk.fail(n, code, lasting);
        go_through_all(program);
        failed = disk.asked() > n;
        disk.fail_no_more();
        CHECK_FALSE(program.unnamed);
        for (const auto& each : program.told) {
            CHECK(each.first == containing(name));
            ++errors;
        }
        // As whoever opens it next finds it.
        service.restart();
        for (const auto& key : program.left) {
            const auto job = service.outbox->find("", key);
            REQUIRE(job);
            CHECK(job->state != JobState::ready);
        }
        for (int i = 0; i < 3; ++i) {
            service.advance(62s);
            service.outbox->run_until_idle();
        }
        CHECK(Database{program.files().path}.text_of("pragma integrity_check") == "ok");
        const auto texts = program.files().at_twilio();
        for (const auto& key : program.taken) {
            const auto job = service.outbox->find("", key);
            REQUIRE(job);
            // What was written down, and not sent, may look as if it had been.
            const int sent = job->state == JobState::unknown ? 0 : 1;
            CHECK(job->state != JobState::ready);
            CHECK((texts.contains(key) ? texts.at(key) : 0) == sent);
        }
        for (const auto& key : program.refused) {
            CAPTURE(key);
            // A disk that fails while it is to say whether it has written, and is not heard of
            // again, may have: what was refused may be there, and then it is as good as taken.
            if (code != SQLITE_IOERR || !lasting) {
                CHECK_FALSE(texts.contains(key));
                CHECK_FALSE(service.outbox->find("", key));
            }
            program.enqueue(key);
        }
        program.run();
        for (const auto& each : program.files().at_twilio()) CHECK(each.second == 1);
        for (const auto& key : program.refused) {
            CHECK(program.files().at_twilio().contains(key));
        }
    }
    CHECK(errors > 0);
}

namespace {

/// A service that waits for nobody, and what it is told of a lock.
struct ImpatientService {
    ImpatientService() {
        files.busy_timeout = 0ms;
        service.restart();
    }

    FileService files;
    outbox_test::Service& service = files.service;
};

const auto is_locked = containing("store: is locked by another process");

}  // namespace

TEST_CASE("who holds a file longer than it is waited for is named, and nothing goes meanwhile") {
    ImpatientService impatient;
    auto& service = impatient.service;
    const auto waiting = service.enqueue("Waits");
    const Database other{impatient.files.path};
    REQUIRE(other.run("begin immediate"));
    const auto refused =
        service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}, {.key = "refused"});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == is_locked);
    const auto done = service.outbox->try_run_until_idle();
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().what() == is_locked);
    CHECK(service.at_twilio() == 0);
    REQUIRE(other.run("rollback"));
    service.outbox->run_until_idle();
    CHECK(service.state(waiting) == JobState::accepted);
    CHECK(service.at_twilio() == 1);
    CHECK_FALSE(service.outbox->find("", "refused"));
}

TEST_CASE("an answer that comes while another holds the file is kept until it can be written") {
    ImpatientService impatient;
    auto& service = impatient.service;
    const outbox_test::WatchedClient watched{service};
    service.restart();
    const auto job = service.enqueue();
    const Database other{impatient.files.path};
    watched.transport->before = [&](const std::string&) { REQUIRE(other.run("begin immediate")); };
    const auto done = service.outbox->try_run_until_idle();
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().what() == is_locked);
    REQUIRE(other.run("rollback"));
    watched.transport->before = {};
    CHECK(service.state(job) == JobState::sending);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.job(job).evidence == Evidence::answer);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("who reads a file for long holds up nobody who writes") {
    ImpatientService impatient;
    auto& service = impatient.service;
    service.enqueue("Before");
    const Database reader{impatient.files.path};
    REQUIRE(reader.run("begin"));
    REQUIRE(reader.text_of("select count(*) from outbox_job") == "1");
    for (int i = 0; i < 100; ++i) service.enqueue("Text " + std::to_string(i));
    service.outbox->run_until_idle();
    CHECK(service.outbox->counts().of(JobState::accepted) == 101);
    CHECK(reader.text_of("select count(*) from outbox_job") == "1");
    // Neither does it keep the last one from closing.
    service.restart();
    CHECK(service.outbox->run_until_idle().sent == 0);
}

}  // namespace outbox_failing_disk_test
