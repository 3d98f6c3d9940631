/// Jobs that are counted in quotas when they are sent.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "outbox/worker.hpp"
#include "support/show.hpp"
#include "unit/outbox/holding_transport.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"

namespace outbox_quotas_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::client_over;
using outbox_test::customer;
using outbox_test::HoldingTransport;
using outbox_test::Service;
using outbox_test::WatchedClient;
using testing::Fault;
using testing::ManualClock;
using testing::MemoryOutbox;
using twiliowa::test::containing;

namespace {

using Slots = std::map<std::tuple<std::string, std::int64_t, TimePoint>, std::int64_t>;

/// What the records of all jobs say of quotas, and what is counted.
struct Books {
    Slots recorded = {};
    Slots counted = {};
};

Books books_of(OutboxStorage& storage) {
    Books books;
    const auto read = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        books = {};
        for (const auto& job : t.list({.limit = 100'000}).value()) {
            for (const auto& each : job.counted) {
                for (const auto& slot : each.time_slots) {
                    books.recorded[{job.quota, slot.period, slot.begin}] +=
                        each.counts ? job.cost : 0;
                }
            }
        }
        for (auto& [at, recorded] : books.recorded) {
            const auto& [quota, period, begin] = at;
            const auto counts = t.quota_history(quota, period, begin, begin + 1s).value();
            books.counted[at] = counts.empty() ? 0 : counts.front().used;
        }
        return {};
    });
    REQUIRE(read.has_value());
    return books;
}

/// Looks after each commit whether the counts are what the jobs' records say: what a process that
/// is killed there leaves.
class AuditedStorage final : public OutboxStorage {
public:
    explicit AuditedStorage(std::shared_ptr<OutboxStorage> inner) : inner_(std::move(inner)) {}

    Result<void> transact(const Work& work) override {
        auto done = inner_->transact(work);
        const auto books = books_of(*inner_);
        CHECK(books.recorded == books.counted);
        ++commits;
        return done;
    }
    std::uint32_t outbox_id() const override { return inner_->outbox_id(); }
    LeaseTime lease_now() const override { return inner_->lease_now(); }
    std::string identity() const override { return inner_->identity(); }

    int commits = 0;

private:
    std::shared_ptr<OutboxStorage> inner_;
};

QuotasOptions windows(std::vector<QuotaWindow> some) {
    QuotasOptions options;
    options.windows = std::move(some);
    return options;
}

/// A tenant with windows, whose books are looked at after each commit.
struct Counted : Service {
    explicit Counted(std::vector<QuotaWindow> some) : Counted(windows(std::move(some))) {}
    explicit Counted(QuotasOptions quotas, OutboxOptions asked = {})
        : Service(with(std::move(asked), std::move(quotas))) {
        wrapped = [this] { return std::make_shared<AuditedStorage>(storage); };
        restart();
    }
    static OutboxOptions with(OutboxOptions asked, QuotasOptions quotas) {
        asked.quotas = std::move(quotas);
        return asked;
    }
    std::vector<EnqueuedJob> enqueue_many(int count, const JobOptions& of = {.quota = "org"}) {
        std::vector<EnqueuedJob> jobs;
        for (int i = 0; i < count; ++i) jobs.push_back(enqueue("Text " + std::to_string(i), of));
        return jobs;
    }
    QuotaAmount used(std::size_t window = 0) {
        return outbox->try_quota("org").value().at(window).used;
    }
    std::int64_t count(JobState state) { return outbox->counts().of(state); }
};

struct Levels final : Observer {
    void on_quota_level(const QuotaLevelEvent& event) noexcept override {
        told.push_back(std::string{event.quota} + " " + std::string{event.window} + " " +
                       std::to_string(event.percent));
    }
    std::vector<std::string> told = {};
};

}  // namespace

TEST_CASE("over a minute's quota jobs wait for the minutes in which they have their turn") {
    Counted service{{QuotaWindow::per_minute(3), QuotaWindow::per_month(100)}};
    const auto jobs = service.enqueue_many(10);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 3);
    CHECK(service.used(0) == 3);
    CHECK(service.used(1) == 3);
    CHECK(service.job(jobs[3]).problem == "its quota org has 0 left of 3 in this minute");
    CHECK(service.state(jobs[3]) == JobState::ready);
    const auto renews = std::chrono::ceil<std::chrono::minutes>(service.clock->now() + 1ns);
    CHECK(service.job(jobs[5]).not_before == renews);
    CHECK(service.job(jobs[6]).not_before == renews + 1min);
    CHECK(service.job(jobs[9]).not_before == renews + 2min);
    for (const std::size_t sent : {6U, 9U, 10U}) {
        service.advance(1min);
        service.outbox->run_until_idle();
        CHECK(service.at_twilio() == sent);
    }
    CHECK(service.job(jobs[9]).problem.empty());
    // In the order in which they were handed over.
    const auto messages = service.fake->messages();
    CHECK(messages.front().body == "Text 9");
    CHECK(messages[6].body == "Text 3");
    CHECK(service.used(1) == 10);
}

TEST_CASE("over a plan jobs are held, say so, and go when a larger one was taken") {
    QuotasOptions plan;
    QuotaAmount limit = 3;
    plan.windows_of = [&](std::string_view) -> Result<std::vector<QuotaWindow>> {
        return std::vector{QuotaWindow::per_month(limit)};
    };
    Counted service{plan};
    const auto jobs = service.enqueue_many(10);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 3);
    CHECK(service.count(JobState::held) == 7);
    CHECK(service.job(jobs[3]).problem == "its quota org has 0 left of 3 in this month");
    CHECK(service.job(jobs[3]).quota == "org");
    SUBCASE("one") {
        CHECK(service.outbox->resolve(jobs[3].id, Resolution::not_sent()));
        service.outbox->run_until_idle();
        CHECK(service.state(jobs[3]) == JobState::held);
        limit = 100;
        service.advance(2s);
        CHECK(service.outbox->resolve(jobs[3].id, Resolution::not_sent()));
        service.outbox->run_until_idle();
        CHECK(service.state(jobs[3]) == JobState::accepted);
        CHECK(service.used() == 4);
    }
    SUBCASE("all of the quota, and no other") {
        const auto other = service.enqueue("Other", {.quota = "other", .cost = 200});
        service.outbox->run_until_idle();
        limit = 100;
        service.advance(2s);
        CHECK(service.outbox->try_resume_quota("org").value() == 7);
        service.outbox->run_until_idle();
        CHECK(service.at_twilio() == 10);
        CHECK(service.used() == 10);
        CHECK(service.state(other) == JobState::held);
        CHECK(service.job(other).problem == "its quota other has 3 left of 3 in this month");
    }
    SUBCASE("what is cancelled is counted in none") {
        for (const auto& job : jobs) service.outbox->cancel(job.id);
        limit = 100;
        service.advance(2s);
        service.outbox->try_resume_quota("org").value();
        service.outbox->run_until_idle();
        CHECK(service.at_twilio() == 3);
        CHECK(service.used() == 3);
    }
}

TEST_CASE("a larger plan is for what waits for its minute, too") {
    QuotasOptions plan;
    QuotaAmount limit = 1;
    plan.windows_of = [&](std::string_view) -> Result<std::vector<QuotaWindow>> {
        return std::vector{QuotaWindow::per_minute(limit)};
    };
    Counted service{plan};
    service.enqueue_many(5);
    service.outbox->run_until_idle();
    limit = 5;
    service.advance(2s);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.outbox->try_resume_quota("org").value() == 4);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 5);
}

TEST_CASE("what certainly was not sent is given back, and reserved anew for the next attempt") {
    Counted service{{QuotaWindow::per_hour(1)}};
    service.fake->next_fault(Fault::too_many_requests);
    const auto job = service.enqueue("Hi", {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::ready);
    CHECK(service.used() == 0);
    service.advance(1min);
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.used() == 1);
}

TEST_CASE("what Twilio refuses is given back") {
    Counted service{{QuotaWindow::per_hour(5)}};
    const auto job =
        service.outbox->enqueue(OutboundText{.to = "+15005550001", .body = "Hi"}, {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::dead);
    CHECK(service.used() == 0);
}

TEST_CASE("what may have been sent stays counted, until a person says that it was not") {
    Counted service{{QuotaWindow::per_month(2)}};
    service.fake->next_fault(Fault::close_after);
    const auto job = service.enqueue("Hi", {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::unknown);
    CHECK(service.used() == 1);
    SUBCASE("it was, as a callback shows") {
        service.outbox->learn(service.callback("delivered"));
        CHECK(service.state(job) == JobState::delivered);
        CHECK(service.used() == 1);
    }
    SUBCASE("it was not, and is counted once more when it goes; a callback says otherwise later") {
        const auto told = service.callback("delivered");
        CHECK(service.outbox->resolve(job.id, Resolution::not_sent()));
        CHECK(service.used() == 0);
        service.outbox->run_until_idle();
        CHECK(service.used() == 1);
        // It went twice: the truth counts.
        service.outbox->learn(told);
        CHECK(service.job(job).doubles.size() == 1);
        CHECK(service.used() == 2);
    }
    SUBCASE("nobody will know") {
        CHECK(service.outbox->resolve(job.id, Resolution::drop()));
        CHECK(service.used() == 1);
    }
}

TEST_CASE("a month that is over keeps what is given back to it") {
    Counted service{{QuotaWindow::per_month(5)}};
    service.fake->next_fault(Fault::close_after);
    const auto job = service.enqueue("Hi", {.quota = "org"});
    service.outbox->run_until_idle();
    const auto then = service.clock->now();
    service.advance(24h * 40);
    CHECK(service.used() == 0);
    const auto day = std::chrono::floor<std::chrono::days>(then);
    CHECK(service.outbox->try_quota_by_day("org", day, day + 24h).value().at(0).used == 1);
    CHECK(service.outbox->resolve(job.id, Resolution::drop()));
    CHECK(service.outbox->try_quota_by_day("org", day, day + 24h).value().at(0).used == 1);
}

TEST_CASE("a process that dies at any moment leaves counts of what may have been sent") {
    Counted service{{QuotaWindow::per_month(3)}};
    service.enqueue_many(5);
    const WatchedClient watched{service};
    service.restart();
    // What is on the disk when the first request leaves.
    std::shared_ptr<MemoryOutbox> left;
    watched.transport->before = [&](const std::string&) {
        if (!left) left = service.storage->copy();
    };
    service.outbox->run_until_idle();
    REQUIRE(left);
    const auto sent_before = service.at_twilio();
    CHECK(sent_before == 3);
    // Another process finds it.
    service.storage = left;
    service.restart();
    service.advance(10min);
    service.outbox->run_until_idle();
    CHECK(service.count(JobState::held) + service.count(JobState::unknown) +
              service.count(JobState::accepted) ==
          5);
    CHECK(service.used() == 3);
    CHECK(service.at_twilio() == sent_before);
}

TEST_CASE("jobs of one order_key keep their order over a quota") {
    Counted service{{QuotaWindow::per_minute(2)}};
    service.enqueue_many(5, {.order_key = "a", .quota = "org"});
    for (int minutes = 0; minutes < 4; ++minutes) {
        service.outbox->run_until_idle();
        service.advance(1min);
    }
    const auto messages = service.fake->messages();
    REQUIRE(messages.size() == 5);
    for (int i = 0; i < 5; ++i) {
        CHECK(messages[static_cast<std::size_t>(4 - i)].body == "Text " + std::to_string(i));
    }
}

TEST_CASE("costs are counted in thousandths, and one that no window holds is held") {
    Counted service{{QuotaWindow::per_minute(3)}};
    const auto cost = QuotaAmount::thousandths(1'200);
    const auto first = service.enqueue("a", {.quota = "org", .cost = cost});
    const auto second = service.enqueue("b", {.quota = "org", .cost = cost});
    const auto third = service.enqueue("c", {.quota = "org", .cost = cost});
    const auto large = service.enqueue("d", {.quota = "org", .cost = 4});
    service.outbox->run_until_idle();
    CHECK(service.used() == QuotaAmount::thousandths(2'400));
    CHECK(service.state(second) == JobState::accepted);
    CHECK(service.state(third) == JobState::ready);
    CHECK(service.state(large) == JobState::held);
    CHECK(service.job(large).problem == "its quota org has 0.6 left of 3 in this minute");
    CHECK(service.job(first).cost == cost);
}

TEST_CASE("a quota that is used up keeps no other waiting") {
    QuotasOptions plan;
    plan.windows_of = [&](std::string_view quota) -> Result<std::vector<QuotaWindow>> {
        return std::vector{QuotaWindow::per_minute(quota == "small" ? 1 : 1'000)};
    };
    Counted service{plan, {.concurrency = 4}};
    service.enqueue_many(30, {.quota = "small"});
    service.enqueue_many(10, {.quota = "large"});
    service.enqueue_many(10, {});
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 21);
}

TEST_CASE("what a job's quota lacks is said by the job") {
    SUBCASE("the program has none") {
        Service service;
        const auto job = service.enqueue("Hi", {.quota = "org"});
        service.outbox->run_until_idle();
        CHECK(service.state(job) == JobState::held);
        CHECK(service.job(job).problem ==
              "its quota org has no windows: give OutboxOptions::quotas");
    }
    SUBCASE("the plan is wrong, or cannot be told") {
        QuotasOptions plan;
        plan.windows_of = [&](std::string_view quota) -> Result<std::vector<QuotaWindow>> {
            if (quota == "away") return store_error("is away");
            return std::vector<QuotaWindow>{};
        };
        Counted service{plan};
        const auto wrong = service.enqueue("a", {.quota = "wrong"});
        const auto away = service.enqueue("b", {.quota = "away"});
        service.outbox->run_until_idle();
        CHECK(service.state(wrong) == JobState::held);
        CHECK(service.job(wrong).problem ==
              containing("its quota wrong has no windows: invalid request: windows"));
        CHECK(service.state(away) == JobState::ready);
        CHECK(service.job(away).problem == containing("is away"));
    }
}

TEST_CASE("options of a quota are checked by name") {
    Counted service{{QuotaWindow::per_minute(3)}};
    const auto refusal = [&](const JobOptions& options) -> std::string {
        const auto refused =
            service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}, options);
        return refused ? "" : refused.error().field();
    };
    CHECK(refusal({.quota = std::string(257, 'q')}) == "quota");
    CHECK(refusal({.quota = "a\nb"}) == "quota");
    CHECK(refusal({.quota = "org", .cost = 0}) == "cost");
    CHECK(refusal({.quota = "org", .cost = -1}) == "cost");
    CHECK(refusal({.quota = std::string(256, 'q')}).empty());
    OutboxOptions wrong;
    wrong.quota_rates = std::make_shared<MemoryQuotas>();
    CHECK_THROWS_WITH_AS(Outbox(service.storage, wrong),
                         "invalid request: quota_rates: counts windows that OutboxOptions::quotas "
                         "does not give",
                         InvalidRequestError);
    wrong.quotas = windows({});
    CHECK_THROWS_AS(Outbox(service.storage, wrong), InvalidRequestError);
}

TEST_CASE("levels of a quota are told once") {
    const auto levels = std::make_shared<Levels>();
    auto quotas = windows({QuotaWindow::per_month(5)});
    quotas.observer = levels;
    Counted service{quotas};
    service.enqueue_many(3);
    service.outbox->run_until_idle();
    CHECK(levels->told.empty());
    service.enqueue("more", {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(levels->told == std::vector<std::string>{"org month 80"});
    service.enqueue_many(4);
    service.outbox->run_until_idle();
    CHECK(levels->told == std::vector<std::string>{"org month 80", "org month 100"});
}

// ---- Minutes that are counted elsewhere

namespace {

/// A storage for rates that can be away, and counts its calls.
class Rates final : public QuotaStorage {
public:
    explicit Rates(std::shared_ptr<Clock> clock) : inner_({.clock = std::move(clock)}) {}

    Result<QuotaReply> reserve(const QuotaRequest& request) override {
        ++calls;
        if (is_away) return store_error("is away");
        return inner_.reserve(request);
    }
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual,
                                   std::chrono::milliseconds remembered) override {
        return inner_.settle(quota, send, actual, remembered);
    }
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override {
        return inner_.release(quota, send);
    }
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override {
        if (is_away) return store_error("is away");
        return inner_.read(quota, time_slots);
    }
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override {
        return inner_.history(quota, period, from, to);
    }

    bool is_away = false;
    int calls = 0;

private:
    MemoryQuotas inner_;
};

struct RatedService : Counted {
    explicit RatedService(const std::vector<QuotaWindow>& some)
        : Counted(windows(some)), rates(std::make_shared<Rates>(clock)) {
        options.quota_rates = rates;
        restart();
    }
    /// In this minute: used, and of that reserved.
    std::pair<std::int64_t, std::int64_t> minute() {
        const auto now = std::chrono::floor<std::chrono::minutes>(clock->now());
        const auto counts = rates->history("org", 60, now, now + 1min).value();
        if (counts.empty()) return {};
        return {counts[0].used, counts[0].open};
    }
    std::shared_ptr<Rates> rates;
};

}  // namespace

TEST_CASE("minutes elsewhere are reserved first, and settled with the outcome") {
    RatedService service{{QuotaWindow::per_minute(3), QuotaWindow::per_month(100)}};
    const auto jobs = service.enqueue_many(10);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 3);
    CHECK(service.minute() == std::pair<std::int64_t, std::int64_t>{3'000, 0});
    CHECK(service.used() == 3);
    const auto states = service.outbox->quota("org");
    REQUIRE(states.size() == 2);
    CHECK(states[0].window.name() == "month");
    CHECK(states[0].left == 97);
    CHECK(states[1].window.name() == "minute");
    CHECK(states[1].used == 3);
    CHECK(states[1].left == 0);
    CHECK(states[1].renews - states[1].began == 1min);
    service.rates->is_away = true;
    CHECK(is_store_error(service.outbox->try_quota("org").error()));
    service.rates->is_away = false;
    CHECK(service.job(jobs[3]).problem == "its quota org has 0 left of 3 in this minute");
    for (const std::size_t sent : {6U, 9U, 10U}) {
        service.advance(1min);
        service.outbox->run_until_idle();
        CHECK(service.at_twilio() == sent);
    }
    CHECK(service.used() == 10);
}

TEST_CASE("minutes elsewhere are given back if the plan refuses, or nothing was sent") {
    RatedService service{{QuotaWindow::per_minute(30), QuotaWindow::per_month(1)}};
    service.fake->next_fault(Fault::too_many_requests);
    const auto first = service.enqueue("a", {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.minute() == std::pair<std::int64_t, std::int64_t>{0, 0});
    service.advance(2s);
    service.outbox->run_until_idle();
    CHECK(service.state(first) == JobState::accepted);
    const auto second = service.enqueue("b", {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.state(second) == JobState::held);
    CHECK(service.used() == 1);
    CHECK(service.minute() == std::pair<std::int64_t, std::int64_t>{1'000, 0});
}

TEST_CASE("minutes elsewhere are given back if the commit fails") {
    RatedService service{{QuotaWindow::per_minute(30)}};
    service.enqueue("a", {.quota = "org"});
    struct Failing final : OutboxStorage {
        explicit Failing(std::shared_ptr<MemoryOutbox> chosen) : inner(std::move(chosen)) {}
        Result<void> transact(const Work& work) override {
            bool sends = false;
            return inner->transact([&](OutboxTransaction& t) -> Result<void> {
                if (auto done = work(t); !done) return done;
                sends = !t.list({.state = JobState::sending}).value().empty();
                if (sends && fails) return store_error("has no room to write");
                return {};
            });
        }
        std::uint32_t outbox_id() const override { return inner->outbox_id(); }
        LeaseTime lease_now() const override { return inner->lease_now(); }
        std::string identity() const override { return inner->identity(); }
        std::shared_ptr<MemoryOutbox> inner;
        bool fails = true;
    };
    const auto failing = std::make_shared<Failing>(service.storage);
    Outbox outbox{failing, service.options};
    CHECK_FALSE(outbox.try_run_until_idle().has_value());
    CHECK(service.at_twilio() == 0);
    CHECK(service.minute() == std::pair<std::int64_t, std::int64_t>{0, 0});
    failing->fails = false;
    outbox.run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.minute() == std::pair<std::int64_t, std::int64_t>{1'000, 0});
}

TEST_CASE("minutes elsewhere stay counted when the outcome is unknown, or the worker vanished") {
    RatedService service{{QuotaWindow::per_hour(30)}};
    service.fake->next_fault(Fault::close_after);
    service.enqueue("a", {.quota = "org"});
    service.outbox->run_until_idle();
    const auto hour = [&] {
        const auto now = std::chrono::floor<std::chrono::hours>(service.clock->now());
        const auto counts = service.rates->history("org", 3'600, now, now + 1h).value();
        return std::pair{counts.at(0).used, counts.at(0).open};
    };
    CHECK(hour() == std::pair<std::int64_t, std::int64_t>{1'000, 0});
    // A worker that is gone with what was under way.
    const auto transport = std::make_shared<HoldingTransport>();
    auto options = service.options;
    options.client = [&](std::string_view) {
        return OutboxAccount{client_over(service, transport)};
    };
    {
        detail::OutboxWorker worker{
            std::make_shared<const detail::OutboxCore>(service.storage, options), "gone", [] {}};
        service.enqueue("b", {.quota = "org"});
        while (transport->count() == 0) worker.step(false, true).value();
    }
    CHECK(hour() == std::pair<std::int64_t, std::int64_t>{2'000, 1'000});
    service.advance(2min);
    service.outbox->run_until_idle();
    CHECK(hour() == std::pair<std::int64_t, std::int64_t>{2'000, 0});
}

TEST_CASE("while minutes cannot be counted nothing that needs them is sent, and little is asked") {
    RatedService service{{QuotaWindow::per_minute(30), QuotaWindow::per_month(100)}};
    service.rates->is_away = true;
    service.enqueue_many(10);
    service.enqueue_many(2, {});
    service.outbox->run_until_idle();
    CHECK(service.rates->calls == 1);
    CHECK(service.count(JobState::ready) == 10);
    CHECK(service.at_twilio() == 2);
    service.rates->is_away = false;
    CHECK(service.used() == 0);
    service.advance(2s);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 12);
}

}  // namespace outbox_quotas_test
