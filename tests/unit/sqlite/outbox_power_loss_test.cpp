/// What an outbox in a file has kept when the power went, whenever that was.
#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"
#include "unit/sqlite/file_service.hpp"
#include "unit/sqlite/recording_vfs.hpp"

namespace outbox_power_loss_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using sqlite_test::Database;
using sqlite_test::DiskEvent;
using sqlite_test::DiskImage;
using sqlite_test::FileService;
using sqlite_test::PowerLoss;
using sqlite_test::RecordingVfs;
using sqlite_test::TestDirectory;
using twiliowa::JobState;
using twiliowa::OutboundText;
using twiliowa::SqliteOutbox;
using twiliowa::testing::Fault;

namespace {

/// A program whose every promise stands between the writes of its disk.
class NotedProgram {
public:
    explicit NotedProgram(RecordingVfs& disk) : disk_(disk), watched_(service()) {
        watched_.transport->before = [this](const std::string& text) {
            disk_.note("left " + text);
        };
        service().restart();
    }

    outbox_test::Service& service() { return files_.service; }
    const std::string& path() const { return files_.path; }

    void enqueue(int jobs) {
        for (int i = 0; i < jobs; ++i) {
            const auto key = "job" + std::to_string(++last_);
            service().enqueue(key, {.key = key});
            disk_.note("kept " + key);
        }
    }
    void enqueue_at_once(int jobs) {
        std::vector<twiliowa::NewJob> batch;
        for (int i = 0; i < jobs; ++i) {
            const auto key = "job" + std::to_string(++last_);
            batch.push_back({OutboundText{.to = customer, .body = key}, {.key = key}});
        }
        for (const auto& job : service().outbox->enqueue_all(batch)) REQUIRE(job);
        for (const auto& job : batch) disk_.note("kept " + job.options.key);
    }
    /// Twilio's word on what was sent last, with the answer that it was heard.
    void learn_delivery() {
        service().outbox->learn(service().callback("delivered"));
        disk_.note("delivered " + service().fake->messages().front().body);
    }

private:
    RecordingVfs& disk_;
    FileService files_;
    outbox_test::WatchedClient watched_;
    int last_ = 0;
};

/// What was promised until a moment.
struct Promises {
    void happen(std::string_view note) {
        const auto blank = note.find(' ');
        const std::string key{note.substr(blank + 1)};
        if (note.starts_with("kept ")) kept.insert(key);
        if (note.starts_with("left ")) left.insert(key);
        if (note.starts_with("delivered ")) delivered.insert(key);
    }
    /// What of it a disk does not hold; empty: it holds all of it.
    std::string broken_by(const DiskImage& image, const std::string& directory) const {
        sqlite_test::write_image(image, directory);
        const auto path = directory + "/outbox.db";
        try {
            const SqliteOutbox storage{path};
        } catch (const twiliowa::TwilioError& error) {
            return std::string{"it cannot be opened: "} + error.what();
        }
        const Database file{path};
        if (const auto checked = file.text_of("pragma integrity_check"); checked != "ok") {
            return checked;
        }
        const auto jobs = file.text_of(
            "select group_concat(' ' || key || '=' || state || ' ', '') from outbox_job");
        const auto is = [&](const std::string& key, JobState state) {
            return jobs.find(' ' + key + '=' + std::to_string(static_cast<int>(state)) + ' ') !=
                   std::string::npos;
        };
        for (const auto& key : kept) {
            if (jobs.find(' ' + key + '=') == std::string::npos) return key + " is lost";
        }
        for (const auto& key : left) {
            if (is(key, JobState::ready)) return key + " left, and would be sent again";
        }
        for (const auto& key : delivered) {
            if (!is(key, JobState::delivered)) return key + " was known to be delivered";
        }
        return {};
    }

    std::set<std::string> kept = {};
    std::set<std::string> left = {};
    std::set<std::string> delivered = {};
};

}  // namespace

TEST_CASE("whenever the power goes, no job is lost that was taken in, and none would go twice" *
          doctest::test_suite("at scale")) {
    const auto rounds = twiliowa::test::at_scale(std::size_t{1}, std::size_t{3});
    const int torn_disks = twiliowa::test::at_scale(1, 30);
    RecordingVfs disk;
    disk.syncs = false;
    {
        NotedProgram program{disk};
        auto& service = program.service();
        for (std::size_t round = 0; round < rounds; ++round) {
            program.enqueue(2);
            service.outbox->run_until_idle();
            program.learn_delivery();
            program.enqueue_at_once(4);
            service.fake->next_fault(Fault::close_after);
            service.outbox->run_until_idle();
            program.learn_delivery();
            program.enqueue(1);
            if (round == 0) {
                // The log goes into the file, and away.
                service.restart();
            } else {
                const Database other{program.path()};
                REQUIRE(other.run("pragma wal_checkpoint(truncate)"));
            }
            service.outbox->run_until_idle();
        }
    }
    disk.records = false;
    const TestDirectory after;
    std::minstd_rand random{20'261'130};
    PowerLoss power;
    Promises promises;
    int moments = 0;
    const auto check = [&] {
        ++moments;
        CAPTURE(moments);
        CHECK(promises.broken_by(power.everything(), after.path) == "");
        if (!power.has_unsynced()) return;
        CHECK(promises.broken_by(power.nothing_unsynced(), after.path) == "");
        for (int i = 0; i < torn_disks; ++i) {
            CHECK(promises.broken_by(power.some(random), after.path) == "");
        }
    };
    for (const auto& event : disk.events) {
        if (event.kind == DiskEvent::Kind::note) {
            promises.happen(event.text);
            continue;
        }
        check();
        power.happen(event);
    }
    check();
    CHECK(promises.kept.size() == rounds * 7);
    CHECK(promises.left.size() == rounds * 7);
    CHECK(promises.delivered.size() == rounds * 2);
    CHECK(moments > 100);
}

}  // namespace outbox_power_loss_test
