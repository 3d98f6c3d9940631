#include <twiliowa/state/quotas.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_quota_storage.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "state/quota_book.hpp"
#include "state/quota_windows.hpp"
#include "support/show.hpp"

namespace quotas_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::check_quota_storage;
using twiliowa::testing::ManualClock;

namespace {

using Faults = std::vector<std::string>;

/// In keys, and in no error.
const std::string canary = "canary+447700900123";

TimePoint at(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
    return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) /
                                 static_cast<int>(day)} +
           time;
}

/// A clock that can be set back, too.
class SetClock final : public Clock {
public:
    explicit SetClock(TimePoint start) : now_(start) {}
    TimePoint now() const override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    MonotonicTime monotonic_now() const override { return {}; }
    void sleep_until(MonotonicTime, const CancelToken&) override {}
    void set(TimePoint now) {
        const std::lock_guard lock(mutex_);
        now_ = now;
    }
    void pass(std::chrono::nanoseconds by) {
        set(now() + std::chrono::floor<TimePoint::duration>(by));
    }

private:
    mutable std::mutex mutex_;
    TimePoint now_;
};

struct Levels final : Observer {
    void on_quota_level(const QuotaLevelEvent& event) noexcept override {
        told.push_back(std::string{event.quota} + " " + std::string{event.window} + " " +
                       std::to_string(event.percent) + " " + std::to_string(event.used) + "/" +
                       std::to_string(event.limit));
        renews = event.renews;
    }
    std::vector<std::string> told = {};
    TimePoint renews = {};
};

/// Does what the one below does, unless it is told to fail or throw.
class FailingQuotas final : public QuotaStorage {
public:
    explicit FailingQuotas(std::shared_ptr<Clock> clock) : inner({.clock = std::move(clock)}) {}

    Result<QuotaReply> reserve(const QuotaRequest& request) override {
        if (throws) throw std::runtime_error(canary);
        if (fails) return store_error("is away");
        return inner.reserve(request);
    }
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual, std::chrono::milliseconds keep) override {
        if (fails) return store_error("is away");
        return inner.settle(quota, send, actual, keep);
    }
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override {
        if (fails) return store_error("is away");
        return inner.release(quota, send);
    }
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override {
        if (fails) return store_error("is away");
        return inner.read(quota, time_slots);
    }
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override {
        if (fails) return store_error("is away");
        return inner.history(quota, period, from, to);
    }

    MemoryQuotas inner;
    bool fails = false;
    bool throws = false;
};

/// 30 a minute and 100 a month, on 2026-11-29 at 12:00:20.
struct Plan {
    std::shared_ptr<SetClock> clock = std::make_shared<SetClock>(at(2026, 11, 29, 12h + 20s));
    std::shared_ptr<FailingQuotas> storage = std::make_shared<FailingQuotas>(clock);
    std::shared_ptr<FailingQuotas> rates = {};
    std::shared_ptr<Levels> levels = std::make_shared<Levels>();
    QuotasOptions options = {
        .windows = {QuotaWindow::per_minute(30), QuotaWindow::per_month(100)},
        .observer = levels,
        .clock = clock,
    };

    Quotas quotas() const { return Quotas{storage, options, rates}; }
    QuotaAnswer take(std::string send, QuotaAmount cost = 1) const {
        return quotas().reserve({"org", std::move(send), cost}).value();
    }
    std::int64_t used(std::size_t window = 0) const {
        return quotas().read("org").value().at(window).used.thousandths();
    }
};

std::string problem(const std::function<void()>& work) {
    try {
        work();
    } catch (const InvalidRequestError& error) {
        return error.what();
    }
    return "it was taken";
}

}  // namespace

TEST_CASE("MemoryQuotas keep the contract of a storage") {
    const auto clock = std::make_shared<ManualClock>();
    const auto quotas = std::make_shared<MemoryQuotas>(MemoryQuotasOptions{.clock = clock});
    CHECK(check_quota_storage([&] { return quotas; },
                              {.pass_time = [&](auto time) { clock->advance(time); }}) == Faults{});
}

TEST_CASE("an amount is whole ones, or thousandths") {
    CHECK(QuotaAmount{3}.thousandths() == 3'000);
    CHECK(QuotaAmount{3}.text() == "3");
    CHECK(QuotaAmount::thousandths(1'200).text() == "1.2");
    CHECK(QuotaAmount::thousandths(5).text() == "0.005");
    CHECK(QuotaAmount::thousandths(-1'250).text() == "-1.25");
    CHECK(QuotaAmount{}.text() == "0");
    CHECK(QuotaAmount::thousandths(std::numeric_limits<std::int64_t>::min()).text() ==
          "-9223372036854775.808");
    CHECK(QuotaAmount{std::numeric_limits<std::uint64_t>::max()}.thousandths() > QuotaSlot::most);
    CHECK(QuotaAmount{std::numeric_limits<std::int64_t>::min()} < 0);
    static_assert(!std::is_convertible_v<double, QuotaAmount>);
}

TEST_CASE("windows begin with UTC's minutes, days and months") {
    const auto now = at(2028, 2, 29, 23h + 59min + 59s) + 999ms;
    const auto minute = detail::quota_slot(QuotaWindow::per_minute(1), now);
    CHECK(minute.begin == at(2028, 2, 29, 23h + 59min));
    CHECK(minute.end == at(2028, 3, 1));
    const auto month = detail::quota_slot(QuotaWindow::per_month(1), now);
    CHECK(month.begin == at(2028, 2, 1));
    CHECK(month.end == at(2028, 3, 1));
    CHECK(detail::quota_slot(QuotaWindow::per_month(1), at(2026, 12, 31)).end == at(2027, 1, 1));
    CHECK(detail::quota_slot(QuotaWindow::per_month(1), at(2027, 1, 1)).begin == at(2027, 1, 1));
    CHECK(detail::quota_slot(QuotaWindow::per_day(1), now).begin == at(2028, 2, 29));
    CHECK(detail::quota_slot({90s, 1}, at(1970, 1, 1, 100s)).begin == at(1970, 1, 1, 90s));
    CHECK(detail::quota_slot({60s, 1}, at(1969, 12, 31, 86'399s)).begin ==
          at(1969, 12, 31, 86'340s));
    CHECK(QuotaWindow{90s, 1}.name() == "90 s");
    CHECK(QuotaWindow::per_hour(1).name() == "hour");
}

TEST_CASE("a send is granted while every window has room") {
    const Plan p;
    const auto answer = p.take("a", QuotaAmount::thousandths(1'200));
    CHECK(answer.granted);
    CHECK(answer.http_status() == 200);
    CHECK(answer.refused_by() == nullptr);
    REQUIRE(answer.windows.size() == 2);
    CHECK(answer.windows[0].left == QuotaAmount::thousandths(28'800));
    CHECK(answer.windows[0].reserved == QuotaAmount::thousandths(1'200));
    CHECK(answer.windows[0].renews == at(2026, 11, 29, 12h + 60s));
    CHECK(answer.windows[1].left == QuotaAmount::thousandths(98'800));
    CHECK(answer.windows[1].renews == at(2026, 12, 1));
}

TEST_CASE("over the minute's quota the answer is 429, and when it may go") {
    const Plan p;
    CHECK(p.take("a", 30).granted);
    const auto refused = p.take("b");
    CHECK_FALSE(refused.granted);
    CHECK(refused.http_status() == 429);
    CHECK(refused.retry_after == 40s);
    CHECK(refused.refused_by()->window.name() == "minute");
    const auto error = refused.error();
    CHECK(is_quota_error(error));
    CHECK(quota_http_status(error) == 429);
    CHECK(error.retry_after() == 40s);
    CHECK(error.effect() == Effect::none);
    CHECK(std::string{error.what()}.find("0 left of 30 in this minute") != std::string::npos);
    p.clock->pass(39s + 999ms);
    CHECK(p.take("b").retry_after == 1s);
    p.clock->pass(1ms);
    CHECK(p.take("b").granted);
}

TEST_CASE("over the month's quota the answer is 402, even if the minute refuses, too") {
    const Plan p;
    for (const auto* const send : {"a", "b", "c"}) {
        CHECK(p.take(send, 30).granted);
        p.clock->pass(1min);
    }
    const auto refused = p.take("d", 11);
    CHECK(refused.http_status() == 402);
    CHECK_FALSE(refused.retry_after);
    CHECK(refused.refused_by()->window.name() == "month");
    CHECK(refused.refused_by()->left == 10);
    CHECK(quota_http_status(refused.error()) == 402);
    CHECK(p.take("e", 10).granted);
    const auto both = p.take("f", 25);
    CHECK(both.http_status() == 402);
    CHECK(both.refused_by()->window.is_plan);
    p.clock->set(at(2026, 12, 1));
    CHECK(p.take("f", 25).granted);
}

TEST_CASE("what a window never holds is a 402: it takes another plan") {
    const Plan p;
    const auto refused = p.take("a", 31);
    CHECK(refused.http_status() == 402);
    CHECK_FALSE(refused.retry_after);
    CHECK(p.levels->told.empty());
    CHECK(quota_http_status(store_error("is away")) == 0);
}

TEST_CASE("a reservation is settled at what it has cost, in the windows that it was taken from") {
    const Plan p;
    p.clock->set(at(2026, 11, 30, 24h - 1s));
    CHECK(p.take("a", 10).granted);
    p.clock->pass(2s);
    const QuotaCharge charge{"org", "a", 10};
    CHECK(p.used(1) == 0);
    CHECK(p.quotas().settle(charge, 4).value() == QuotaEnd::done);
    CHECK(p.quotas().settle(charge, 9).value() == QuotaEnd::ended_before);
    CHECK(p.quotas().release(charge).value() == QuotaEnd::ended_before);
    CHECK(p.used(1) == 0);
    p.clock->set(at(2026, 11, 30));
    CHECK(p.used(1) == 4'000);
    CHECK(p.quotas().settle({"org", "never", 1}).value() == QuotaEnd::not_found);
}

TEST_CASE("a clock that is set back finds what it counted") {
    const Plan p;
    CHECK(p.take("a", 30).granted);
    p.clock->pass(1min);
    CHECK(p.take("b", 30).granted);
    p.clock->pass(-1min);
    CHECK_FALSE(p.take("c").granted);
    for (const auto* const send : {"a", "b"}) {
        CHECK(p.quotas().settle({"org", send, 30}).value() == QuotaEnd::done);
    }
    p.clock->pass(30h);
    CHECK(p.take("d").granted);
    p.clock->pass(-29h);
    CHECK(p.used(1) == 61'000);
}

TEST_CASE("a reservation that nobody settles lapses; one that is settled later is counted") {
    const Plan p;
    CHECK(p.take("a", 20).granted);
    p.clock->pass(9min);
    CHECK(p.used(1) == 20'000);
    p.clock->pass(1min);
    CHECK(p.used(1) == 0);
    CHECK(p.quotas().settle({"org", "a", 20}).value() == QuotaEnd::done);
    CHECK(p.used(1) == 20'000);
}

TEST_CASE("levels are told once in each window, and at the first refusal for what is left over") {
    Plan p;
    p.options.windows = {QuotaWindow::per_minute(10)};
    CHECK(p.take("a", 7).granted);
    CHECK(p.levels->told.empty());
    CHECK(p.take("b", 1).granted);
    CHECK(p.levels->told == Faults{"org minute 80 8000/10000"});
    CHECK(p.levels->renews == at(2026, 11, 29, 12h + 60s));
    CHECK(p.quotas().release({"org", "b", 1}).value() == QuotaEnd::done);
    CHECK(p.take("c", 2).granted);
    CHECK(p.levels->told.size() == 1);
    CHECK_FALSE(p.take("d", 2).granted);
    CHECK(p.levels->told.back() == "org minute 100 9000/10000");
    CHECK(p.take("e", 1).granted);
    CHECK_FALSE(p.take("f", 1).granted);
    CHECK(p.levels->told.size() == 2);
    p.clock->pass(1min);
    CHECK(p.take("g", 10).granted);
    CHECK(p.levels->told.size() == 4);
}

TEST_CASE("a settlement over the reserved cost reaches a level, too") {
    Plan p;
    p.options.windows = {QuotaWindow::per_month(10)};
    CHECK(p.take("a", 1).granted);
    CHECK(p.quotas().settle({"org", "a", 1}, 12).value() == QuotaEnd::done);
    CHECK(p.levels->told == Faults{"org month 80 12000/10000", "org month 100 12000/10000"});
    CHECK(p.quotas().read("org").value()[0].left == 0);
}

TEST_CASE("levels lie where the percentage is reached, not before") {
    using Levels = std::vector<int>;
    CHECK(detail::quota_levels_reached({80, 100}, 1, 0, 1) == Levels{80, 100});
    CHECK(detail::quota_levels_reached({80}, 3, 0, 2).empty());
    CHECK(detail::quota_levels_reached({80}, 3, 0, 3) == Levels{80});
    CHECK(detail::quota_levels_reached({100, 1}, 200, 0, 2) == Levels{1});
    CHECK(detail::quota_levels_reached({100}, 0, 0, 5).empty());
    CHECK(detail::quota_levels_reached({100}, QuotaSlot::most, 0, QuotaSlot::most) == Levels{100});
}

TEST_CASE("each quota may have its own plan, and one without a plan sends nothing") {
    Plan p;
    p.options.windows_of = [](std::string_view quota) -> Result<std::vector<QuotaWindow>> {
        if (quota == "away") return store_error("is away");
        if (quota == "throws") throw std::runtime_error(canary);
        if (quota == "none") return std::vector<QuotaWindow>{};
        return std::vector{QuotaWindow::per_month(quota == "large" ? 10 : 1)};
    };
    const auto quotas = p.quotas();
    CHECK(quotas.reserve({"large", "a", 2}).value().granted);
    CHECK_FALSE(quotas.reserve({"small", "a", 2}).value().granted);
    CHECK(is_store_error(quotas.reserve({"away", "a", 1}).error()));
    CHECK(is_store_error(quotas.reserve({"throws", "a", 1}).error()));
    CHECK(quotas.reserve({"none", "a", 1}).error().field() == "windows");
}

TEST_CASE("limits that are changed hold at once, and what was counted stays") {
    Plan p;
    CHECK(p.take("a", 20).granted);
    p.options.windows = {QuotaWindow::per_minute(10), QuotaWindow::per_month(100)};
    CHECK(p.take("b").http_status() == 429);
    CHECK(p.quotas().read("org").value()[0].left == 0);
    p.options.windows = {QuotaWindow{30s, 40}, QuotaWindow::per_month(100)};
    CHECK(p.take("b", 5).granted);
    CHECK(p.used(1) == 25'000);
}

TEST_CASE("usage can be read by day, whatever the windows are") {
    Plan p;
    p.options.windows = {QuotaWindow::per_minute(30)};
    CHECK(p.take("a", 3).granted);
    CHECK(p.quotas().settle({"org", "a", 3}).has_value());
    p.clock->set(at(2026, 12, 2));
    CHECK(p.take("b", QuotaAmount::thousandths(1'200)).granted);
    CHECK(p.take("c", 1).granted);
    CHECK(p.quotas().release({"org", "c", 1}).has_value());
    const auto days = p.quotas().usage_by_day("org", at(2026, 11, 1), at(2027, 1, 1)).value();
    REQUIRE(days.size() == 2);
    CHECK(days[0].day == at(2026, 11, 29));
    CHECK(days[0].used == 3);
    CHECK(days[0].reserved == 0);
    CHECK(days[1].day == at(2026, 12, 2));
    CHECK(days[1].used.text() == "1.2");
    CHECK(days[1].reserved.text() == "1.2");
    CHECK(p.quotas().usage_by_day("org", at(2026, 12, 2), at(2026, 12, 2)).value().empty());
    CHECK(p.quotas().usage_by_day("other", at(2026, 11, 1), at(2027, 1, 1)).value().empty());
}

TEST_CASE("what is asked for must be possible") {
    const Plan p;
    const auto field = [&](const QuotaCharge& charge) {
        const auto answer = p.quotas().reserve(charge);
        if (answer) return std::string{"it was answered"};
        CHECK(answer.error().kind() == ErrorKind::invalid_request);
        CHECK_FALSE(is_quota_error(answer.error()));
        CHECK(std::string{answer.error().what()}.find("canary") == std::string::npos);
        return answer.error().field();
    };
    CHECK(field({"", "a", 1}) == "quota_key");
    CHECK(field({"org", "", 1}) == "send_key");
    CHECK(field({canary + std::string(256, 'x'), "a", 1}) == "quota_key");
    CHECK(field({"org", "a", 0}) == "cost");
    CHECK(field({"org", "a", -1}) == "cost");
    CHECK(field({"org", "a", QuotaAmount::thousandths(std::numeric_limits<std::int64_t>::min())}) ==
          "cost");
    CHECK(field({"org", "a", std::numeric_limits<std::int64_t>::max()}) == "cost");
    CHECK(p.quotas().settle({"org", "a", 1}, -1).error().field() == "cost");
    CHECK(p.used() == 0);
}

TEST_CASE("options of Quotas are checked") {
    const Plan p;
    const auto refusal = [&](auto change) {
        auto options = p.options;
        change(options);
        return problem([&] { Quotas{p.storage, options}; });
    };
    using test::containing;
    CHECK(problem([&] { Quotas{nullptr, p.options}; }) == containing("plans"));
    CHECK(refusal([](auto& o) { o.windows.clear(); }) == containing("windows"));
    CHECK(refusal([](auto& o) { o.windows.assign(2, QuotaWindow::per_day(1)); }) ==
          containing("two of one period"));
    CHECK(refusal([](auto& o) { o.windows = {QuotaWindow{-1s, 1}}; }) == containing("period"));
    CHECK(refusal([](auto& o) {
              o.windows = {QuotaWindow{24h * 367, 1}};
          }) == containing("period"));
    CHECK(refusal([](auto& o) { o.windows = {QuotaWindow::per_day(-1)}; }) == containing("limit"));
    CHECK(refusal([](auto& o) { o.lapse_after = 0ms; }) == containing("lapse_after"));
    CHECK(refusal([](auto& o) { o.remember = std::chrono::milliseconds::max(); }) ==
          containing("remember"));
    CHECK(refusal([](auto& o) { o.keep_usage = -1ms; }) == containing("keep_usage"));
    CHECK(refusal([](auto& o) { o.warn_at = {101}; }) == containing("warn_at"));
}

TEST_CASE("without its storage nothing is granted, and nothing is quoted") {
    const Plan p;
    p.storage->fails = true;
    CHECK(is_store_error(p.quotas().reserve({canary, canary, 1}).error()));
    CHECK(is_store_error(p.quotas().settle({canary, canary, 1}).error()));
    CHECK(is_store_error(p.quotas().release({canary, canary, 1}).error()));
    CHECK(is_store_error(p.quotas().read(canary).error()));
    CHECK(is_store_error(p.quotas().usage_by_day(canary, {}, {}).error()));
    p.storage->fails = false;
    p.storage->throws = true;
    const auto thrown = p.quotas().reserve({canary, canary, 1});
    CHECK(is_store_error(thrown.error()));
    CHECK(std::string{thrown.error().what()}.find("canary") == std::string::npos);
}

TEST_CASE("MemoryQuotas that are full take no more, until sends are forgotten") {
    const Plan p;
    MemoryQuotas storage{{.max_sends = 2, .clock = p.clock}};
    const auto shared = std::shared_ptr<QuotaStorage>(&storage, [](auto*) {});
    const Quotas quotas{shared, p.options};
    CHECK(quotas.reserve({"org", "a", 1}).value().granted);
    CHECK(quotas.reserve({"org", "b", 1}).value().granted);
    const auto full = quotas.reserve({"org", "c", 1});
    CHECK(is_store_error(full.error()));
    CHECK(quotas.settle({"org", "a", 1}).value() == QuotaEnd::done);
    CHECK(quotas.release({"org", "b", 1}).value() == QuotaEnd::done);
    CHECK(quotas.reserve({"org", "c", 1}).value().granted);
    p.clock->pass(24h);
    CHECK(quotas.reserve({"org", "d", 1}).value().granted);
    CHECK(problem([] { MemoryQuotas{{.max_sends = 0}}; }) == test::containing("max_sends"));
}

TEST_CASE("of two storages the one for rates is given back when the other refuses or fails") {
    Plan p;
    p.rates = std::make_shared<FailingQuotas>(p.clock);
    CHECK(p.take("a", 30).granted);
    for (int i = 0; i < 2; ++i) {
        p.clock->pass(1min);
        CHECK(p.take("b" + std::to_string(i), 30).granted);
    }
    p.clock->pass(1min);
    const auto refused = p.take("c", 11);
    CHECK(refused.http_status() == 402);
    REQUIRE(refused.windows.size() == 1);
    CHECK(refused.windows[0].window.name() == "month");
    CHECK(p.used(0) == 0);
    CHECK(p.used(1) == 90'000);
    p.storage->fails = true;
    CHECK(is_store_error(p.quotas().reserve({"org", "d", 1}).error()));
    p.storage->fails = false;
    CHECK(p.used(0) == 0);
    p.rates->fails = true;
    CHECK(is_store_error(p.quotas().reserve({"org", "d", 1}).error()));
    CHECK(is_store_error(p.quotas().settle({"org", "a", 30}).error()));
    p.rates->fails = false;
    CHECK(p.used(1) == 90'000);
    CHECK(p.take("e", 10).windows.size() == 2);
    CHECK(p.take("e", 10).granted_before);
    CHECK(p.quotas().release({"org", "e", 10}).value() == QuotaEnd::done);
    CHECK(p.used(0) == 0);
    CHECK(p.used(1) == 90'000);
}

TEST_CASE("a storage whose clock is another's is asked for the windows of its own time") {
    const Plan p;
    const auto far = std::make_shared<SetClock>(at(2031, 1, 1));
    auto options = p.options;
    options.clock = far;
    const Quotas quotas{p.storage, options};
    const auto answer = quotas.reserve({"org", "a", 1}).value();
    CHECK(answer.granted);
    CHECK(answer.windows[1].renews == at(2026, 12, 1));
    CHECK(quotas.read("org").value()[0].began == at(2026, 11, 29, 12h));
}

TEST_CASE("a send goes within a quota, and is settled or given back by what became of it") {
    const Plan p;
    const auto quotas = p.quotas();
    int sent = 0;
    const auto send = [&](std::string key, Result<int> outcome) {
        return send_within(quotas, {"org", std::move(key), 30}, [&] {
            ++sent;
            return outcome;
        });
    };
    const auto none = Error::transport(Effect::none, Stage::connect, "refused");
    const auto unknown = Error::transport(Effect::unknown, Stage::receive, "reset");
    CHECK(send("a", none).error().effect() == Effect::none);
    CHECK(p.used() == 0);
    CHECK(send("b", 7).value() == 7);
    CHECK(p.quotas().read("org").value()[0].reserved == 0);
    CHECK(p.used() == 30'000);
    CHECK(quota_http_status(send("c", 7).error()) == 429);
    CHECK(sent == 2);
    p.clock->pass(1min);
    CHECK(send("d", unknown).error().effect() == Effect::unknown);
    CHECK(p.used() == 30'000);
    p.clock->pass(1min);
    CHECK_THROWS_AS(static_cast<void>(
                        send_within(quotas, {"org", "e", 30},
                                    []() -> Result<int> { throw std::runtime_error("unknown"); })),
                    std::runtime_error);
    CHECK(p.used() == 30'000);
    p.storage->fails = true;
    CHECK(is_store_error(send("f", 7).error()));
    CHECK(sent == 3);
}

TEST_CASE("threads that share Quotas never pass a limit") {
    Plan p;
    p.options.windows = {QuotaWindow::per_minute(100), QuotaWindow::per_month(150)};
    p.options.observer = {};
    p.rates = std::make_shared<FailingQuotas>(p.clock);
    const auto quotas = p.quotas();
    std::atomic<int> granted{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 50; ++i) {
                const auto key = std::to_string(thread) + "/" + std::to_string(i);
                if (quotas.reserve({"org", key, 1}).value().granted) ++granted;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(granted == 100);
}

namespace {

/// What is right to answer, kept in the plainest way: every send with its windows.
struct Ledger {
    struct Entry {
        std::int64_t cost = 0;
        TimePoint minute = {};
        TimePoint month = {};
        bool counts = true;
        bool settled = false;
    };
    std::map<std::string, Entry> sends = {};

    std::int64_t sum(TimePoint Entry::*window, TimePoint begin) const {
        std::int64_t total = 0;
        for (const auto& [key, entry] : sends) {
            if (entry.counts && entry.*window == begin) total += entry.cost;
        }
        return total;
    }
};

}  // namespace

TEST_CASE("however reserve, settle, release, lapse and time are mixed, no limit is passed") {
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        const auto pick = [&](int below) {
            return static_cast<int>(random() % static_cast<unsigned>(below));
        };
        Plan p;
        p.clock->set(at(2026, 11, 30, 23h + 50min));
        if (seed % 2 == 0) p.rates = std::make_shared<FailingQuotas>(p.clock);
        const auto quotas = p.quotas();
        Ledger ledger;
        std::map<std::string, TimePoint> lapses;
        for (int step = 0; step < 300; ++step) {
            const auto key = std::to_string(pick(40));
            auto& now = p.clock;
            if (pick(10) == 0)
                now->pass(std::chrono::seconds{pick(200) - (pick(8) == 0 ? 120 : 0)});
            for (auto& [name, time] : lapses) {
                if (time <= now->now() && !ledger.sends[name].settled) {
                    ledger.sends[name].counts = false;
                }
            }
            const QuotaAmount cost = QuotaAmount::thousandths(1 + pick(12'000));
            const bool known = ledger.sends.contains(key) && ledger.sends[key].counts;
            const auto windows = quotas.read("org").value();
            switch (pick(4)) {
                case 0:
                case 1: {
                    const auto answer = quotas.reserve({"org", key, cost}).value();
                    if (known) {
                        CHECK(answer.granted_before);
                        break;
                    }
                    const auto minute = ledger.sum(&Ledger::Entry::minute, windows[0].began);
                    const auto month = ledger.sum(&Ledger::Entry::month, windows[1].began);
                    const bool fits = minute + cost.thousandths() <= 30'000 &&
                                      month + cost.thousandths() <= 100'000;
                    CHECK(answer.granted == fits);
                    if (!fits) break;
                    ledger.sends[key] = {cost.thousandths(), windows[0].began, windows[1].began};
                    lapses[key] = now->now() + 10min;
                    break;
                }
                case 2: {
                    // At most what was reserved: more passes a limit, and is meant to.
                    const auto actual = known && !ledger.sends[key].settled
                                            ? ledger.sends[key].cost / (1 + pick(3))
                                            : 0;
                    if (!known) break;
                    const auto end =
                        quotas.settle({"org", key, 1}, QuotaAmount::thousandths(actual)).value();
                    CHECK((end == QuotaEnd::done) == !ledger.sends[key].settled);
                    if (ledger.sends[key].settled) break;
                    ledger.sends[key].cost = actual;
                    ledger.sends[key].settled = true;
                    break;
                }
                default: {
                    if (ledger.sends.contains(key) && !ledger.sends[key].counts) break;
                    const auto end = quotas.release({"org", key, 1}).value();
                    if (!known) {
                        CHECK(end == QuotaEnd::not_found);
                    } else if (ledger.sends[key].settled) {
                        CHECK(end == QuotaEnd::ended_before);
                    } else {
                        CHECK(end == QuotaEnd::done);
                        ledger.sends.erase(key);
                        lapses.erase(key);
                    }
                }
            }
            const auto after = quotas.read("org").value();
            CHECK(after[0].used.thousandths() ==
                  ledger.sum(&Ledger::Entry::minute, after[0].began));
            CHECK(after[1].used.thousandths() == ledger.sum(&Ledger::Entry::month, after[1].began));
            CHECK(after[0].used <= after[0].window.limit);
            CHECK(after[1].used <= after[1].window.limit);
        }
    }
}

}  // namespace quotas_test
