#include <twiliowa/testing/check_quota_storage.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace twiliowa::testing {

namespace {

using std::chrono::milliseconds;
using QuotaStorageFactory = std::function<std::shared_ptr<QuotaStorage>()>;

/// What lapses while a check waits for it.
constexpr milliseconds quota_check_short{1'000};
constexpr milliseconds quota_check_pause{1'100};
constexpr milliseconds quota_check_long = std::chrono::minutes{10};
constexpr std::chrono::hours quota_check_hour{1};

std::string_view quota_taken_name(QuotaTaken taken) {
    switch (taken) {
        case QuotaTaken::taken:
            return "taken";
        case QuotaTaken::taken_before:
            return "taken_before";
        case QuotaTaken::refused:
            return "refused";
        case QuotaTaken::other_time:
            return "other_time";
    }
    return "what is no answer";
}

std::string_view quota_end_name(QuotaEnd end) {
    switch (end) {
        case QuotaEnd::done:
            return "done";
        case QuotaEnd::ended_before:
            return "ended_before";
        case QuotaEnd::not_found:
            return "not_found";
    }
    return "what is no answer";
}

class QuotaStorageCheck {
public:
    QuotaStorageCheck(const QuotaStorageFactory& open, const CheckQuotaStorageOptions& options)
        : open_(open), options_(options), storage_(open()), other_(open()) {
        if (!storage_ || !other_) Error::invalid_request("open", "gives no storage").raise();
        std::random_device random;
        for (int i = 0; i < 4; ++i) prefix_ += std::to_string(random()) + '/';
    }

    std::vector<std::string> run() {
        if (!find_now()) return std::move(faults_);
        all_slots_are_counted();
        one_slot_refuses_for_all();
        what_never_fits_reaches_no_level();
        limits_may_change();
        a_key_is_taken_once();
        settling_replaces_the_cost();
        settled_is_over_the_limit_if_it_was();
        released_is_given_back();
        other_times_are_named();
        slots_and_quotas_are_apart();
        bytes_are_bytes();
        others_see_it();
        what_lapses_is_given_back();
        what_has_lapsed_can_be_settled();
        history_is_in_order();
        nonsense_is_refused();
        threads_never_pass_a_limit();
        threads_take_one_key_once();
        return std::move(faults_);
    }

private:
    // ---- The checks

    /// The storage's time, to the second.
    bool find_now() {
        const auto read = checked("read", [&] { return storage_->read(next_quota(), {slot(10)}); });
        if (!read) return false;
        now_ = std::chrono::floor<std::chrono::seconds>(read->now);
        if (read->counts.size() != 1 || read->counts.front().used != 0) {
            fault("read did not answer 0 for a slot in which nothing was counted");
        }
        return true;
    }

    void all_slots_are_counted() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 20);
        expect(reserve(quota, "a", 4, time_slots), QuotaTaken::taken, "what fits into all slots");
        const auto second = reserve(quota, "b", 6, time_slots);
        expect(second, QuotaTaken::taken, "what just fits");
        if (second && second->counts.size() == 2) {
            const auto& count = second->counts.front();
            if (count.used != 10 || count.open != 10 || count.peak != 10 ||
                count.peak_before != 4) {
                fault("reserve did not answer what is counted in its first slot with it");
            }
        } else if (second) {
            fault("reserve did not answer a count for each slot");
        }
        expect_count(quota, time_slots[0], 10, 10, 10, "two reservations");
        expect_count(quota, time_slots[1], 10, 10, 10, "two reservations, in the second slot");
    }

    void one_slot_refuses_for_all() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 5);
        expect(reserve(quota, "a", 3, time_slots), QuotaTaken::taken, "what fits into all slots");
        const auto refused = reserve(quota, "b", 3, time_slots);
        expect(refused, QuotaTaken::refused, "what does not fit into the last slot");
        if (refused && refused->counts.size() == 2) {
            if (refused->counts[1].peak != 5 || refused->counts[1].peak_before != 3) {
                fault("a refusal did not raise the peak of the slot that refused to its limit");
            }
        } else if (refused) {
            fault("a refusal did not answer a count for each slot");
        }
        expect_count(quota, time_slots[0], 3, 3, 3, "a refusal, in a slot that had room");
        expect_count(quota, time_slots[1], 3, 3, 5, "a refusal, in the slot that had none");
        expect(reserve(quota, "c", 2, time_slots), QuotaTaken::taken, "what fits after a refusal");
        expect(reserve(quota, "b", 1, time_slots), QuotaTaken::refused,
               "what does not fit any more");
    }

    void what_never_fits_reaches_no_level() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        expect(reserve(quota, "a", 11, time_slots), QuotaTaken::refused, "more than a limit");
        expect_count(quota, time_slots[0], 0, 0, 0, "the refusal of more than a limit");
        const std::vector none{slot(0)};
        expect(reserve(quota, "a", 1, none), QuotaTaken::refused, "anything of a limit of 0");
        const std::vector unlimited{slot(QuotaSlot::no_limit)};
        expect(reserve(quota, "a", QuotaSlot::most, unlimited), QuotaTaken::taken,
               "the largest cost, of no limit");
        expect_count(quota, time_slots[0], QuotaSlot::most, QuotaSlot::most, QuotaSlot::most,
                     "the largest cost");
    }

    void limits_may_change() {
        const auto quota = next_quota();
        expect(reserve(quota, "a", 8, {slot(10)}), QuotaTaken::taken, "what fits");
        expect(reserve(quota, "b", 1, {slot(5)}), QuotaTaken::refused, "anything of a lower limit");
        expect(reserve(quota, "b", 5, {slot(20)}), QuotaTaken::taken, "what fits a higher limit");
    }

    void a_key_is_taken_once() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken, "a new key");
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken_before,
               "a key that is reserved");
        expect(settle(quota, "a", 6), QuotaEnd::done, "settle of a reservation");
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken_before,
               "a key that was settled");
        expect_count(quota, time_slots[0], 6, 0, 6, "one key, reserved three times");
    }

    void settling_replaces_the_cost() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 20);
        expect(settle(quota, "a", 1), QuotaEnd::not_found, "settle of a key that never was");
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken, "a new key");
        expect(settle(quota, "a", 2), QuotaEnd::done, "settle");
        expect(settle(quota, "a", 5), QuotaEnd::ended_before, "settle of what was settled");
        expect(release(quota, "a"), QuotaEnd::ended_before, "release of what was settled");
        for (const auto& one : time_slots) expect_count(quota, one, 2, 0, 6, "settle at less");
        expect(reserve(quota, "b", 6, time_slots), QuotaTaken::taken, "another key");
        expect(settle(quota, "b", 0), QuotaEnd::done, "settle at 0");
        for (const auto& one : time_slots) expect_count(quota, one, 2, 0, 8, "settle at 0");
    }

    void settled_is_over_the_limit_if_it_was() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken, "a new key");
        const auto settled =
            checked("settle", [&] { return storage_->settle(quota, "a", 13, quota_check_long); });
        if (!settled) return;
        if (settled->counts.size() != 1 || settled->counts[0].used != 13 ||
            settled->counts[0].peak != 13 || settled->counts[0].peak_before != 6) {
            fault("settle did not answer what is counted in the slot that it was taken from");
        }
        expect_count(quota, time_slots[0], 13, 0, 13, "settle at more than the limit");
        expect(reserve(quota, "b", 1, time_slots), QuotaTaken::refused, "anything over the limit");
    }

    void released_is_given_back() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 20);
        expect(release(quota, "a"), QuotaEnd::not_found, "release of a key that never was");
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken, "a new key");
        expect(reserve(quota, "b", 2, time_slots), QuotaTaken::taken, "another key");
        expect(release(quota, "a"), QuotaEnd::done, "release");
        for (const auto& one : time_slots) expect_count(quota, one, 2, 2, 8, "release");
        expect(release(quota, "a"), QuotaEnd::not_found, "release of what was given back");
        expect(settle(quota, "a", 6), QuotaEnd::not_found, "settle of what was given back");
        for (const auto& one : time_slots) expect_count(quota, one, 2, 2, 8, "a second release");
        expect(reserve(quota, "a", 8, time_slots), QuotaTaken::taken, "a key that was given back");
    }

    void other_times_are_named() {
        const auto quota = next_quota();
        auto past = slot(10);
        past.begin = now_ - quota_check_hour * 3;
        past.end = now_ - quota_check_hour;
        auto coming = slot(10);
        coming.begin = now_ + quota_check_hour;
        coming.end = now_ + quota_check_hour * 3;
        for (const auto& wrong : {past, coming}) {
            auto other = slot(10);
            other.period = 7;
            const auto reply = reserve(quota, "a", 1, {other, wrong});
            expect(reply, QuotaTaken::other_time, "a slot that is not now");
            if (reply && std::chrono::abs(reply->now - now_) > std::chrono::minutes{30}) {
                fault("other_time did not come with the storage's time");
            }
            expect_count(quota, other, 0, 0, 0, "a slot that is not now");
        }
    }

    void slots_and_quotas_are_apart() {
        const auto quota = next_quota();
        auto before = slot(10);
        before.begin -= std::chrono::minutes{1};
        expect(reserve(quota, "a", 6, {before}), QuotaTaken::taken, "one slot");
        expect(reserve(quota, "b", 6, {slot(10)}), QuotaTaken::taken,
               "a slot of the same period that begins at another time");
        auto longer = slot(10);
        longer.period = 0;
        expect(reserve(quota, "c", 6, {longer}), QuotaTaken::taken, "a slot of another period");
        expect(reserve(quota + "x", "a", 6, {slot(10)}), QuotaTaken::taken,
               "a quota whose key another's is the beginning of");
        expect_count(quota, slot(10), 6, 6, 6, "other slots and other quotas");
    }

    void bytes_are_bytes() {
        const std::vector time_slots{slot(10)};
        const auto base = next_quota();
        const std::vector<std::string> keys{base + std::string("\0a", 2),
                                            base + std::string("\0b", 2),
                                            base + "}{'\"%_\n\xff:|",
                                            base + "A",
                                            base + "a",
                                            std::string(256 - base.size(), 'x') + base};
        for (const auto& key : keys) {
            expect(reserve(key, key, 6, time_slots), QuotaTaken::taken, "a key of unusual bytes");
            expect(reserve(key, base, 4, time_slots), QuotaTaken::taken, "its own room");
            expect(settle(key, key, 6), QuotaEnd::done, "settle of a key of unusual bytes");
            expect(release(key, base), QuotaEnd::done, "release under a key of unusual bytes");
            expect_count(key, time_slots[0], 6, 0, 10, "keys of unusual bytes");
        }
    }

    void others_see_it() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        expect(reserve(quota, "a", 6, time_slots), QuotaTaken::taken, "a new key");
        const auto read = checked("read", [&] { return other_->read(quota, time_slots); });
        if (read && (read->counts.size() != 1 || read->counts.front().used != 6)) {
            fault("what was counted through one storage was not read through another of `open`");
        }
        const auto ended = checked("release", [&] { return other_->release(quota, "a"); });
        expect(ended, QuotaEnd::done, "release through another of `open`");
    }

    void what_lapses_is_given_back() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 20);
        expect(reserve(quota, "a", 6, time_slots, quota_check_short), QuotaTaken::taken,
               "a new key");
        expect(reserve(quota, "b", 3, time_slots), QuotaTaken::taken, "one that lapses later");
        expect(reserve(quota, "c", 1, time_slots, quota_check_short), QuotaTaken::taken,
               "one that is settled");
        expect(settle(quota, "c", 1), QuotaEnd::done, "settle");
        const auto read_alone = next_quota();
        expect(reserve(read_alone, "a", 6, time_slots, quota_check_short), QuotaTaken::taken,
               "another quota's");
        pass_time(quota_check_pause);
        for (const auto& one : time_slots) {
            expect_count(read_alone, one, 0, 0, 6, "what has lapsed, when it is read");
        }
        expect(reserve(quota, "d", 6, time_slots), QuotaTaken::taken,
               "what fits when another lapsed");
        for (const auto& one : time_slots) expect_count(quota, one, 10, 9, 10, "what has lapsed");
        expect(release(quota, "a"), QuotaEnd::done, "release of what has lapsed");
        for (const auto& one : time_slots) {
            expect_count(quota, one, 10, 9, 10, "release of what has lapsed");
        }
        expect(release(quota, "d"), QuotaEnd::done, "release");
        expect(reserve(quota, "a", 5, time_slots), QuotaTaken::taken, "a key that has lapsed");
        for (const auto& one : time_slots) expect_count(quota, one, 9, 8, 10, "a key taken anew");
    }

    void what_has_lapsed_can_be_settled() {
        const auto quota = next_quota();
        const auto time_slots = both_slots(10, 20);
        expect(reserve(quota, "a", 6, time_slots, quota_check_short), QuotaTaken::taken,
               "a new key");
        pass_time(quota_check_pause);
        expect(reserve(quota, "b", 8, time_slots), QuotaTaken::taken,
               "what fits when another lapsed");
        expect(settle(quota, "a", 5), QuotaEnd::done, "settle of what has lapsed");
        for (const auto& one : time_slots)
            expect_count(quota, one, 13, 8, 13, "settle after the lapse");
        expect(settle(quota, "a", 5), QuotaEnd::ended_before, "the same once more");
    }

    void history_is_in_order() {
        const auto quota = next_quota();
        std::vector<TimePoint> begins;
        for (const int minutes : {20, 40, 30}) {
            auto one = slot(10);
            one.begin = now_ - std::chrono::minutes{minutes};
            begins.push_back(one.begin);
            expect(reserve(quota, std::to_string(minutes), minutes, {one}), QuotaTaken::refused,
                   "more than a limit");
            one.limit = QuotaSlot::no_limit;
            expect(reserve(quota, std::to_string(minutes), minutes, {one}), QuotaTaken::taken,
                   "a slot of history");
        }
        std::sort(begins.begin(), begins.end());
        const auto read = [&](TimePoint from, TimePoint to) {
            return checked("history", [&] { return storage_->history(quota, 60, from, to); });
        };
        if (const auto all = read(begins[0], begins[2] + milliseconds{1})) {
            const bool right = all->size() == 3 && (*all)[0].begin == begins[0] &&
                               (*all)[0].used == 40 && (*all)[1].used == 30 &&
                               (*all)[2].used == 20 && (*all)[2].open == 20;
            if (!right) fault("history did not give three slots, oldest first");
        }
        if (const auto some = read(begins[1], begins[2]); some && some->size() != 1) {
            fault("history did not give what begins in from <= begin < to");
        }
        const auto none =
            checked("history", [&] { return storage_->history(quota, 61, begins[0], now_); });
        if (none && !none->empty()) fault("history gave slots of another period");
    }

    void nonsense_is_refused() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        const std::string longer(257, 'x');
        auto negative = slot(10);
        negative.limit = -1;
        auto other = slot(10);
        other.begin -= std::chrono::minutes{1};
        refuse("an empty key of a quota", request("", "a", 1, time_slots));
        refuse("an empty key of a send", request(quota, "", 1, time_slots));
        refuse("a key of 257 bytes", request(quota, longer, 1, time_slots));
        refuse("a cost of 0", request(quota, "a", 0, time_slots));
        refuse("a negative cost", request(quota, "a", -1, time_slots));
        refuse("the smallest number",
               request(quota, "a", (std::numeric_limits<std::int64_t>::min)(), time_slots));
        refuse("more than can be counted", request(quota, "a", QuotaSlot::most + 1, time_slots));
        refuse("no slots", request(quota, "a", 1, {}));
        refuse("a negative limit", request(quota, "a", 1, {negative}));
        refuse("two slots of one period", request(quota, "a", 1, {slot(10), other}));
        refuse("a reservation that has lapsed already",
               request(quota, "a", 1, time_slots, milliseconds{0}));
        expect_count(quota, time_slots[0], 0, 0, 0, "what is refused as nonsense");
        if (storage_->settle(quota, "a", -1, quota_check_long)) {
            fault("settle took a negative cost");
        }
        // However late: the year 9999 ends before Lua's numbers do.
        expect(reserve(quota, "a", 1, time_slots, (milliseconds::max)()), QuotaTaken::taken,
               "what lapses at the end of time");
    }

    void threads_never_pass_a_limit() {
        const auto quota = next_quota();
        const int all = options_.threads * options_.reservations_per_thread;
        const std::vector<QuotaSlot> time_slots = both_slots(all / 2, all);
        std::atomic<int> taken{0};
        at_once([&](QuotaStorage& storage, int thread) {
            for (int i = 0; i < options_.reservations_per_thread; ++i) {
                const auto key = std::to_string(thread) + '/' + std::to_string(i);
                const auto reply = checked(
                    "reserve", [&] { return storage.reserve(request(quota, key, 1, time_slots)); });
                if (!reply) return;
                if (reply->taken == QuotaTaken::taken) ++taken;
                if (reply->taken == QuotaTaken::taken && i % 2 == 0) {
                    static_cast<void>(checked(
                        "settle", [&] { return storage.settle(quota, key, 1, quota_check_long); }));
                }
            }
        });
        if (taken != all / 2) {
            fault("of " + std::to_string(all) + " reservations of several threads, a limit of " +
                  std::to_string(all / 2) + " let through " + std::to_string(taken));
        }
        const auto read = checked("read", [&] { return storage_->read(quota, time_slots); });
        if (read && read->counts.front().used != taken) {
            fault(std::to_string(taken) + " reservations of several threads were counted as " +
                  std::to_string(read->counts.front().used));
        }
    }

    void threads_take_one_key_once() {
        const auto quota = next_quota();
        const std::vector time_slots{slot(10)};
        std::atomic<int> taken{0};
        std::atomic<int> settled{0};
        at_once([&](QuotaStorage& storage, int) {
            const auto reply = checked(
                "reserve", [&] { return storage.reserve(request(quota, "a", 6, time_slots)); });
            if (reply && reply->taken == QuotaTaken::taken) ++taken;
            const auto end =
                checked("settle", [&] { return storage.settle(quota, "a", 4, quota_check_long); });
            if (end && end->end == QuotaEnd::done) ++settled;
        });
        if (taken != 1) fault("threads that reserve one key at once did not take it once");
        if (settled != 1) fault("threads that settle one key at once did not settle it once");
        expect_count(quota, time_slots[0], 4, 0, 6, "one key, of several threads");
    }

    // ---- Operations, whose failures are faults

    template <class Operation>
    auto checked(std::string_view name, const Operation& operation)
        -> std::optional<typename std::invoke_result_t<Operation>::value_type> {
        try {
            auto result = operation();
            if (result) return std::move(result).value();
            fault(std::string{name} + " failed: " + result.error().what());
        } catch (const std::exception& thrown) {
            fault(std::string{name} + " threw: " + thrown.what());
        }
        return std::nullopt;
    }

    static QuotaRequest request(std::string_view quota, std::string_view send, std::int64_t cost,
                                std::vector<QuotaSlot> time_slots,
                                milliseconds lapses_after = quota_check_long) {
        return {quota, send, cost, lapses_after, quota_check_long, std::move(time_slots)};
    }
    std::optional<QuotaReply> reserve(std::string_view quota, std::string_view send,
                                      std::int64_t cost, const std::vector<QuotaSlot>& time_slots,
                                      milliseconds lapses_after = quota_check_long) {
        return checked("reserve", [&] {
            return storage_->reserve(request(quota, send, cost, time_slots, lapses_after));
        });
    }
    std::optional<QuotaEnd> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual) {
        const auto settled = checked(
            "settle", [&] { return storage_->settle(quota, send, actual, quota_check_long); });
        if (!settled) return std::nullopt;
        return settled->end;
    }
    std::optional<QuotaEnd> release(std::string_view quota, std::string_view send) {
        return checked("release", [&] { return storage_->release(quota, send); });
    }

    void expect(const std::optional<QuotaReply>& reply, QuotaTaken taken, std::string_view what) {
        if (!reply || reply->taken == taken) return;
        fault("reserve answered " + std::string{quota_taken_name(reply->taken)} + " for " +
              std::string{what} + ", not " + std::string{quota_taken_name(taken)});
    }
    void expect(const std::optional<QuotaEnd>& end, QuotaEnd expected, std::string_view what) {
        if (!end || *end == expected) return;
        fault(std::string{what} + " answered " + std::string{quota_end_name(*end)} + ", not " +
              std::string{quota_end_name(expected)});
    }
    void expect_count(const std::string& quota, const QuotaSlot& slot, std::int64_t used,
                      std::int64_t open, std::int64_t peak, std::string_view what) {
        const auto read = checked("read", [&] { return storage_->read(quota, {slot}); });
        if (!read || read->counts.size() != 1) return;
        const auto& count = read->counts.front();
        if (count.used == used && count.open == open && count.peak == peak) return;
        const auto all = [](auto a, auto b, auto c) {
            return std::to_string(a) + " used, " + std::to_string(b) + " open, " +
                   std::to_string(c) + " at most";
        };
        fault("after " + std::string{what} + ": " + all(count.used, count.open, count.peak) +
              "; expected " + all(used, open, peak));
    }
    void refuse(std::string_view what, const QuotaRequest& nonsense) {
        try {
            const auto reply = storage_->reserve(nonsense);
            if (reply) fault("reserve did not answer an error for " + std::string{what});
        } catch (const std::exception& thrown) {
            fault("reserve threw for " + std::string{what} + ": " + thrown.what());
        }
    }

    // ---- What they use

    /// Of two hours, with now in its middle.
    QuotaSlot slot(std::int64_t limit) const {
        return {60, now_ - quota_check_hour, now_ + quota_check_hour, limit,
                now_ + quota_check_hour * 2};
    }
    std::vector<QuotaSlot> both_slots(std::int64_t limit, std::int64_t other) const {
        auto second = slot(other);
        second.period = 0;
        return {slot(limit), second};
    }
    std::string next_quota() {
        return "twiliowa-check-quota/" + prefix_ + std::to_string(++quotas_);
    }
    void pass_time(milliseconds time) {
        if (options_.pass_time) return options_.pass_time(time);
        std::this_thread::sleep_for(time);
    }
    void at_once(const std::function<void(QuotaStorage&, int)>& work) {
        std::vector<std::thread> threads;
        threads.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) {
            threads.emplace_back([&, i] {
                const auto storage = checked_open();
                if (storage) work(*storage, i);
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::shared_ptr<QuotaStorage> checked_open() {
        try {
            return open_();
        } catch (const std::exception& thrown) {
            fault(std::string{"it could not be opened once more: "} + thrown.what());
            return nullptr;
        }
    }
    void fault(std::string text) {
        const std::lock_guard lock(mutex_);
        faults_.push_back(std::move(text));
    }

    const QuotaStorageFactory& open_;
    const CheckQuotaStorageOptions& options_;
    const std::shared_ptr<QuotaStorage> storage_;
    const std::shared_ptr<QuotaStorage> other_;
    std::string prefix_ = {};
    TimePoint now_ = {};
    int quotas_ = 0;
    std::mutex mutex_ = {};
    std::vector<std::string> faults_ = {};
};

}  // namespace

std::vector<std::string> check_quota_storage(
    const std::function<std::shared_ptr<QuotaStorage>()>& open,
    const CheckQuotaStorageOptions& options) {
    return QuotaStorageCheck{open, options}.run();
}

}  // namespace twiliowa::testing
