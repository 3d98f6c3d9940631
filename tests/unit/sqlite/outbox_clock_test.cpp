/// A calendar that is put forward and back while an outbox in a file works.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <twiliowa/testing/manual_clock.hpp>

#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_clock_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Service;
using sqlite_test::FileService;
using twiliowa::DeadReason;
using twiliowa::JobState;
using twiliowa::Outbox;
using twiliowa::testing::Fault;
using twiliowa::testing::ManualClock;

namespace {

/// A machine's clock: time goes on as it does, and the calendar is set as somebody likes.
class SetClock final : public twiliowa::Clock {
public:
    explicit SetClock(std::shared_ptr<ManualClock> true_time) : true_(std::move(true_time)) {}

    twiliowa::TimePoint now() const override {
        return true_->now() + std::chrono::milliseconds{wrong_by_};
    }
    twiliowa::MonotonicTime monotonic_now() const override { return true_->monotonic_now(); }
    void sleep_until(twiliowa::MonotonicTime until, const twiliowa::CancelToken& cancel) override {
        true_->sleep_until(until, cancel);
    }
    void step(std::chrono::milliseconds by) { wrong_by_ += by.count(); }

private:
    const std::shared_ptr<ManualClock> true_;
    std::atomic<std::int64_t> wrong_by_{0};
};

/// A service on a machine whose calendar may be wrong; Twilio's is right.
struct WrongCalendar {
    WrongCalendar() {
        service.options.clock = calendar;
        service.restart();
    }
    /// Goes on for that long, in steps of `by`, or until it is as wanted.
    template <class Until>
    void run(std::chrono::milliseconds at_most, std::chrono::milliseconds by, const Until& until) {
        for (auto left = at_most; left > 0ms && !until(); left -= by) {
            service.outbox->run_until_idle();
            service.advance(by);
        }
    }

    FileService files;
    Service& service = files.service;
    std::shared_ptr<SetClock> calendar = std::make_shared<SetClock>(service.clock);
};

using std::chrono::hours;

constexpr std::array<hours, 4> calendar_steps{hours{1}, hours{-1}, hours{24}, hours{-24}};

constexpr auto never = [] { return false; };

}  // namespace

TEST_CASE("a lease ends when its time has passed, whatever the calendar says") {
    constexpr auto lease = 60s;
    for (const auto step : calendar_steps) {
        CAPTURE(step.count());
        WrongCalendar machine;
        auto& service = machine.service;
        const outbox_test::WatchedClient watched{service};
        service.restart();
        const auto job = service.enqueue();
        Outbox other{machine.files.open(machine.files.path), service.options};
        watched.transport->before = [&](const std::string&) {
            machine.calendar->step(step);
            other.run_until_idle();
            CHECK(service.state(job) == JobState::sending);
            service.advance(lease - 1s);
            other.run_until_idle();
            CHECK(service.state(job) == JobState::sending);
            service.advance(2s);
            other.run_until_idle();
            CHECK(service.state(job) == JobState::unknown);
        };
        service.outbox->run_until_idle();
        watched.transport->before = {};
        // Its own time was over, too: it said that nothing left.
        CHECK(service.at_twilio() == 0);
        machine.run(1h, 1min, [&] { return service.state(job) == JobState::accepted; });
        CHECK(service.state(job) == JobState::accepted);
        CHECK(service.at_twilio() == 1);
    }
}

TEST_CASE("what is looked for is found once, and never sent again, when the calendar is set") {
    for (const auto step : calendar_steps) {
        CAPTURE(step.count());
        WrongCalendar machine;
        auto& service = machine.service;
        const auto arrived = service.enqueue("Arrived");
        service.fake->next_fault(Fault::close_after);
        service.outbox->run_until_idle();
        const auto lost = service.enqueue("Lost");
        service.fake->next_fault(Fault::internal_error);
        service.outbox->run_until_idle();
        machine.calendar->step(step);
        machine.run(72h, 1h, never);
        CHECK(service.state(arrived) == JobState::accepted);
        CHECK(service.state(lost) == JobState::held);
        CHECK(service.at_twilio() == 1);
    }
}

TEST_CASE(
    "a calendar that is wrong at the send finds nothing in the list, and callbacks all the same") {
    for (const auto step : calendar_steps) {
        CAPTURE(step.count());
        WrongCalendar machine;
        auto& service = machine.service;
        machine.calendar->step(step);
        const auto job = service.enqueue();
        service.fake->next_fault(Fault::close_after);
        service.outbox->run_until_idle();
        machine.calendar->step(-step);
        machine.run(72h, 1h, never);
        CHECK(service.state(job) == JobState::held);
        CHECK(service.at_twilio() == 1);
        service.outbox->learn(service.callback("delivered"));
        CHECK(service.state(job) == JobState::delivered);
    }
}

TEST_CASE("what waits for a time waits for it by the calendar, and goes once") {
    for (const auto step : calendar_steps) {
        CAPTURE(step.count());
        WrongCalendar machine;
        auto& service = machine.service;
        const auto at = service.clock->now();
        const auto planned = service.enqueue("Planned", {.not_before = at + 30h});
        const auto busy = service.enqueue("Tried again");
        service.fake->next_fault(Fault::too_many_requests);
        service.outbox->run_until_idle();
        const auto at_once = service.enqueue("At once");
        machine.calendar->step(step);
        const auto accepted_after = [&](const twiliowa::EnqueuedJob& job) {
            machine.run(100h, 1h, [&] { return service.state(job) == JobState::accepted; });
            return std::chrono::round<hours>(service.clock->now() - at);
        };
        // What waits for no time waits until the calendar is where it was when it was taken in.
        CHECK(accepted_after(at_once) <= std::max(hours{1}, hours{1} - step));
        CHECK(accepted_after(busy) <= std::max(hours{1}, hours{2} - step));
        CHECK(accepted_after(planned) == hours{31} - step);
        CHECK(service.at_twilio() == 3);
    }
}

TEST_CASE("what expires does so by the calendar, and is not sent") {
    WrongCalendar machine;
    auto& service = machine.service;
    const auto job = service.enqueue("Code", {.expires_at = service.clock->now() + 10min});
    machine.calendar->step(24h);
    service.outbox->run_until_idle();
    CHECK(service.job(job).reason == DeadReason::expired);
    CHECK(service.at_twilio() == 0);
}

TEST_CASE("a calendar that is corrected little by little loses and doubles nothing") {
    for (const auto slew : {500ms, -500ms}) {
        WrongCalendar machine;
        auto& service = machine.service;
        for (int i = 0; i < 10; ++i) {
            service.enqueue("Text " + std::to_string(i));
            service.fake->next_fault(i % 2 == 0 ? Fault::close_after : Fault::too_many_requests);
            service.outbox->run_until_idle();
            machine.calendar->step(slew);
            service.advance(1s);
        }
        for (int i = 0; i < 300; ++i) {
            service.outbox->run_until_idle();
            machine.calendar->step(slew);
            service.advance(1s);
        }
        CHECK(service.outbox->counts().of(JobState::accepted) == 10);
        CHECK(service.at_twilio() == 10);
    }
}

}  // namespace outbox_clock_test
