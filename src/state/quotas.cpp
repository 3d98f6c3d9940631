#include <twiliowa/state/quotas.hpp>

#include <algorithm>
#include <atomic>
#include <new>

#include <twiliowa/state/store.hpp>

#include "state/quota_book.hpp"
#include "state/quota_windows.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view quota_field = "quota";

/// Other than these the storage's time does not change between two questions, unless it jumps.
constexpr int most_quota_guesses = 4;

Error quota_contract_broken() {
    return store_error("has quotas that do not keep their contract",
                       "testing::check_quota_storage tells what is wrong with them");
}

}  // namespace

/// One of the storages, with the windows that are counted in it.
class QuotaEngine {
public:
    explicit QuotaEngine(std::shared_ptr<QuotaStorage> storage, bool counts_days) noexcept
        : storage_(std::move(storage)), counts_days_(counts_days) {}

    explicit operator bool() const noexcept { return storage_ != nullptr; }

    struct Counted {
        QuotaTaken taken = QuotaTaken::refused;
        TimePoint now = {};
        std::vector<QuotaSlot> time_slots = {};  ///< Of the windows, and a last one of the day.
        std::vector<QuotaCount> counts = {};
    };

    Result<Counted> reserve(const QuotaCharge& charge, const std::vector<QuotaWindow>& windows,
                            const QuotasOptions& options) const {
        return at_its_time(windows, options, [&](const std::vector<QuotaSlot>& time_slots) {
            return storage_->reserve({.quota = charge.quota,
                                      .send = charge.send,
                                      .cost = charge.cost.thousandths(),
                                      .lapses_after = options.lapse_after,
                                      .remembered = options.remember,
                                      .time_slots = time_slots});
        });
    }

    Result<Counted> read(std::string_view quota, const std::vector<QuotaWindow>& windows,
                         const QuotasOptions& options) const {
        return at_its_time(windows, options, [&](const std::vector<QuotaSlot>& time_slots) {
            auto reply = storage_->read(quota, time_slots);
            if (reply && !are_now(time_slots, reply->now)) reply->taken = QuotaTaken::other_time;
            return reply;
        });
    }

    template <class Operation>
    auto ask(const Operation& operation) const -> std::invoke_result_t<Operation, QuotaStorage&> {
        try {
            return operation(*storage_);
        } catch (const std::bad_alloc&) {
            throw;
        } catch (...) {
            return quota_contract_broken();
        }
    }

private:
    static bool are_now(const std::vector<QuotaSlot>& time_slots, TimePoint now) noexcept {
        return std::all_of(time_slots.begin(), time_slots.end(),
                           [&](const auto& slot) { return slot.begin <= now && now < slot.end; });
    }

    /// Asks for the slots of now, which the storage's clock knows and ours guesses.
    template <class Ask>
    Result<Counted> at_its_time(const std::vector<QuotaWindow>& windows,
                                const QuotasOptions& options, const Ask& ask_at) const {
        auto guess = options.clock->now() + std::chrono::microseconds{ahead_.load()};
        for (int guesses = 0; guesses < most_quota_guesses; ++guesses) {
            Counted counted{.time_slots = quota_time_slots(windows, guess, options, counts_days_)};
            auto reply = ask([&](QuotaStorage&) { return ask_at(counted.time_slots); });
            if (!reply) return reply.error();
            guess = reply->now;
            ahead_ =
                std::chrono::floor<std::chrono::microseconds>(guess - options.clock->now()).count();
            if (reply->taken == QuotaTaken::other_time) continue;
            if (reply->counts.size() != counted.time_slots.size()) return quota_contract_broken();
            counted.taken = reply->taken;
            counted.now = reply->now;
            counted.counts = std::move(reply->counts);
            return counted;
        }
        return store_error("has a time that jumps", "look at the clock of its server");
    }

    std::shared_ptr<QuotaStorage> storage_;
    bool counts_days_;
    mutable std::atomic<std::int64_t> ahead_{0};
};

}  // namespace detail

struct Quotas::State {
    State(std::shared_ptr<QuotaStorage> of_plans, std::shared_ptr<QuotaStorage> of_rates,
          QuotasOptions chosen)
        : options(std::move(chosen)),
          plans(std::move(of_plans), true),
          rates(std::move(of_rates), false) {}

    /// What one storage says; an answer that is granted goes on to the next.
    Result<void> reserve_in(const detail::QuotaEngine& engine, const QuotaCharge& charge,
                            const std::vector<QuotaWindow>& windows, QuotaAnswer& answer) const {
        auto counted = engine.reserve(charge, windows, options);
        if (!counted) return counted.error();
        detail::tell_quota_levels(options, charge.quota, windows, counted->counts);
        auto said = detail::quota_answer(windows, counted->time_slots,
                                         {counted->taken, counted->now, counted->counts},
                                         charge.cost.thousandths());
        if (said.granted) {
            said.windows.insert(said.windows.begin(), answer.windows.begin(), answer.windows.end());
        }
        answer = std::move(said);
        return {};
    }

    template <class Operation>
    auto both(const Operation& operation) const -> std::invoke_result_t<Operation, QuotaStorage&> {
        auto ended = plans.ask(operation);
        if (!rates) return ended;
        // Even if the first failed: each may be repeated.
        const auto of_rates = rates.ask(operation);
        if (ended && !of_rates) return of_rates.error();
        return ended;
    }

    const QuotasOptions options;
    const detail::QuotaEngine plans;
    const detail::QuotaEngine rates;
};

Quotas::Quotas(std::shared_ptr<QuotaStorage> plans, QuotasOptions options,
               std::shared_ptr<QuotaStorage> rates) {
    if (!plans) Error::invalid_request("plans", "is null").raise();
    detail::check_quotas_options(options).value();
    if (!options.clock) options.clock = system_clock();
    state_ = std::make_shared<State>(std::move(plans), std::move(rates), std::move(options));
}

Result<QuotaAnswer> Quotas::reserve(const QuotaCharge& charge) const {
    if (auto checked = detail::check_quota_keys(charge.quota, charge.send); !checked) {
        return checked.error();
    }
    if (charge.cost <= 0 || charge.cost.thousandths() > QuotaSlot::most) {
        return Error::invalid_request("cost", "is not positive, or more than can be counted");
    }
    const auto windows = detail::quota_windows_of(state_->options, charge.quota);
    if (!windows) return windows.error();
    QuotaAnswer answer;
    if (!state_->rates) {
        if (auto asked = state_->reserve_in(state_->plans, charge, *windows, answer); !asked) {
            return asked.error();
        }
        detail::tell_quota_refusal(state_->options.observer, charge.quota, answer);
        return answer;
    }
    const auto of_rates = detail::some_quota_windows(*windows, false);
    if (!of_rates.empty()) {
        if (auto asked = state_->reserve_in(state_->rates, charge, of_rates, answer); !asked) {
            return asked.error();
        }
        if (!answer.granted) {
            detail::tell_quota_refusal(state_->options.observer, charge.quota, answer);
            return answer;
        }
    }
    const auto of_plans = detail::some_quota_windows(*windows, true);
    const auto asked = state_->reserve_in(state_->plans, charge, of_plans, answer);
    if ((!asked || !answer.granted) && !of_rates.empty()) {
        // If that fails, it lapses.
        static_cast<void>(state_->rates.ask(
            [&](QuotaStorage& storage) { return storage.release(charge.quota, charge.send); }));
    }
    if (!asked) return asked.error();
    detail::tell_quota_refusal(state_->options.observer, charge.quota, answer);
    return answer;
}

Result<QuotaEnd> Quotas::settle(const QuotaCharge& charge, QuotaAmount actual) const {
    const auto amount = actual.thousandths();
    if (auto checked = detail::check_quota_keys(charge.quota, charge.send); !checked) {
        return checked.error();
    }
    if (auto checked = detail::check_quota_actual(amount); !checked) return checked.error();
    const auto windows = state_->options.observer
                             ? detail::quota_windows_of(state_->options, charge.quota)
                             : std::vector<QuotaWindow>{};
    return state_->both([&](QuotaStorage& storage) -> Result<QuotaEnd> {
        const auto settled =
            storage.settle(charge.quota, charge.send, amount, state_->options.remember);
        if (!settled) return settled.error();
        if (windows) {
            detail::tell_quota_levels(state_->options, charge.quota, *windows, settled->counts);
        }
        return settled->end;
    });
}

Result<QuotaEnd> Quotas::release(const QuotaCharge& charge) const {
    if (auto checked = detail::check_quota_keys(charge.quota, charge.send); !checked) {
        return checked.error();
    }
    return state_->both(
        [&](QuotaStorage& storage) { return storage.release(charge.quota, charge.send); });
}

Result<QuotaEnd> Quotas::conclude(const QuotaCharge& charge, const Error* failure) const {
    const bool nothing_left = failure != nullptr && failure->effect() == Effect::none;
    return nothing_left ? release(charge) : settle(charge);
}

Result<std::vector<QuotaState>> Quotas::read(std::string_view quota) const {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    const auto windows = detail::quota_windows_of(state_->options, quota);
    if (!windows) return windows.error();
    const auto read_from = [&](const detail::QuotaEngine& engine,
                               const std::vector<QuotaWindow>& some,
                               std::vector<QuotaState>& states) -> Result<void> {
        if (some.empty()) return {};
        const auto counted = engine.read(quota, some, state_->options);
        if (!counted) return counted.error();
        for (std::size_t i = 0; i < some.size(); ++i) {
            states.push_back(
                detail::quota_state(some[i], counted->time_slots[i], counted->counts[i]));
        }
        return {};
    };
    std::vector<QuotaState> states;
    if (!state_->rates) {
        if (auto done = read_from(state_->plans, *windows, states); !done) return done.error();
        return states;
    }
    for (const bool of_plans : {false, true}) {
        const auto& engine = of_plans ? state_->plans : state_->rates;
        const auto some = detail::some_quota_windows(*windows, of_plans);
        if (auto done = read_from(engine, some, states); !done) return done.error();
    }
    return states;
}

Result<std::vector<QuotaDay>> Quotas::usage_by_day(std::string_view quota, TimePoint from,
                                                   TimePoint to) const {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    const auto counts = state_->plans.ask([&](QuotaStorage& storage) {
        return storage.history(quota, detail::day_of_quota.count(), from, to);
    });
    if (!counts) return counts.error();
    std::vector<QuotaDay> days;
    for (const auto& count : *counts) {
        if (count.used == 0 && count.open == 0) continue;
        days.push_back({count.begin, QuotaAmount::thousandths(count.used),
                        QuotaAmount::thousandths(count.open)});
    }
    return days;
}

// ---- Amounts, windows, answers

std::string QuotaAmount::text() const {
    // As one that can be negated.
    const auto size = thousandths_ < 0 ? 0 - static_cast<std::uint64_t>(thousandths_)
                                       : static_cast<std::uint64_t>(thousandths_);
    std::string text = thousandths_ < 0 ? "-" : "";
    text += std::to_string(size / 1'000);
    auto rest = std::to_string(1'000 + size % 1'000).substr(1);
    rest.erase(rest.find_last_not_of('0') + 1);
    return rest.empty() ? text : text + "." + rest;
}

std::string QuotaWindow::name() const {
    switch (period.count()) {
        case 0:
            return "month";
        case 60:
            return "minute";
        case 3'600:
            return "hour";
        case 86'400:
            return "day";
        case detail::quota_without_end.count():
            return "all";
        default:
            return std::to_string(period.count()) + " s";
    }
}

int QuotaAnswer::http_status() const noexcept {
    if (granted) return 200;
    return retry_after ? 429 : 402;
}

const QuotaState* QuotaAnswer::refused_by() const noexcept {
    const QuotaState* found = nullptr;
    for (const auto& state : windows) {
        if (state.refused && (found == nullptr || (state.window.is_plan && !found->window.is_plan)))
            found = &state;
    }
    return found;
}

Error QuotaAnswer::error() const {
    const std::string_view hint =
        retry_after ? "try again after retry_after" : "wait until it renews, or take a larger plan";
    return Error::invalid_request(detail::quota_field, detail::quota_problem_of(*this), hint)
        .with([&](ErrorData& data) { data.retry_after = retry_after; });
}

bool is_quota_error(const Error& error) noexcept {
    return error.kind() == ErrorKind::invalid_request && error.field() == detail::quota_field;
}

int quota_http_status(const Error& error) noexcept {
    if (!is_quota_error(error)) return 0;
    return error.retry_after() ? 429 : 402;
}

}  // namespace twiliowa
