#include <twiliowa/testing/check_store.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace twiliowa::testing {

namespace {

using std::chrono::milliseconds;
using StoreFactory = std::function<std::shared_ptr<Store>()>;

constexpr milliseconds check_lasts = std::chrono::minutes{10};
/// What expires while a check waits for it, and what then does not.
constexpr milliseconds check_short{1'000};
constexpr milliseconds check_pause{1'100};

/// 0 if it is none.
long long checked_number(const std::string& text) {
    long long number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// What `get` made of it.
struct CheckedEntry {
    /// False: it failed, which has been told.
    bool answered = false;
    std::optional<StoredValue> entry = {};
};

class StoreCheck {
public:
    StoreCheck(const StoreFactory& open, const CheckStoreOptions& options)
        : open_(open), options_(options), store_(open()), other_(open()) {
        if (!store_ || !other_) Error::invalid_request("open", "gives no store").raise();
        std::random_device random;
        for (int i = 0; i < 4; ++i) prefix_ += std::to_string(random()) + '/';
    }

    std::vector<std::string> run() {
        values_come_back();
        others_see_it();
        versions_are_compared();
        erase_compares();
        versions_are_not_given_again();
        expired_is_absent();
        time_to_live_is_replaced();
        forever_does_not_expire();
        several_are_read();
        several_are_written();
        one_of_several_writers_wins();
        no_write_is_lost();
        return std::move(faults_);
    }

private:
    // ---- The checks

    void values_come_back() {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
        const std::array<std::pair<std::string, std::string>, 4> values{{
            {"of every byte", bytes},
            {"that is empty", ""},
            {"of 3000 bytes", std::string(3'000, 'x')},
            {"that looks like a number", "007"},
        }};
        for (const auto& [what, value] : values) {
            for (const auto keep : {Keep::pinned, Keep::evictable}) {
                const auto key = next_key() + what;
                const auto version = set(key, 0, value, check_lasts, keep);
                if (!version) continue;
                expect_version(key, *version, value, "a value " + what);
            }
        }
        const auto key = next_key();
        const auto longer = key + std::string("\0a\n%_'\xff", 7);
        const auto version = set(longer, 0, "v");
        if (!version) return;
        expect_version(longer, *version, "v", "a key with NUL, quotes and bytes that are no UTF-8");
        expect_absent(key, "a key that is the beginning of another's");
        expect_absent(key + std::string("\0b", 2), "a key that differs after a NUL");
        expect_absent(key + std::string("\0A\n%_'\xff", 7), "a key in other letters");
    }

    void others_see_it() {
        const auto key = next_key();
        const auto version = set(key, 0, "v");
        if (!version) return;
        const auto read = checked("get", [&] { return other_->get(key); });
        if (!read) return;
        if (!*read || (*read)->version != *version) {
            fault("what was written through one store was not read through another of `open`");
        }
    }

    void versions_are_compared() {
        const auto key = next_key();
        if (const auto wrote = set(key, 7, "x"); wrote && *wrote != 0) {
            fault("compare_and_set with an expected version wrote where there was no entry");
        }
        expect_absent(key, "a key whose write was refused");
        const auto fresh = next_key();
        const auto first = set(fresh, 0, "one");
        if (!first) return;
        if (*first == 0) {
            fault(
                "compare_and_set with 0 did not write where there was no entry, or gave version 0");
            return;
        }
        refuse_write(fresh, 0, *first, "one", "0 where there is an entry");
        refuse_write(fresh, *first + 1, *first, "one", "a version that the entry does not have");
        const auto second = set(fresh, *first, "two");
        if (!second) return;
        if (*second == 0) {
            fault("compare_and_set with the entry's version did not write");
            return;
        }
        if (*second <= *first) fault("the version did not grow with a second write");
        refuse_write(fresh, *first, *second, "two", "the version before the last write");
    }

    void erase_compares() {
        expect_erased(next_key(), 0, false, "0, of a key that never was there");
        const auto key = next_key();
        const auto version = set(key, 0, "v");
        if (!version) return;
        expect_erased(key, *version + 1, false, "another version than the entry's");
        expect_erased(key, 0, false, "0");
        expect_version(key, *version, "v", "an entry that was not to be erased");
        expect_erased(key, *version, true, "the entry's version");
        expect_absent(key, "an erased entry");
        expect_erased(key, *version, false, "the version of an entry that was erased already");
    }

    void versions_are_not_given_again() {
        const auto key = next_key();
        const auto erased = set(key, 0, "v");
        if (!erased) return;
        expect_erased(key, *erased, true, "the entry's version");
        const auto expired = set(key, 0, "v", check_short);
        if (!expired) return;
        if (*expired <= *erased) fault("a version was given again after its entry was erased");
        pass_time(check_pause);
        const auto last = set(key, 0, "v");
        if (!last) return;
        if (*last <= *expired) fault("a version was given again after its entry expired");
    }

    void expired_is_absent() {
        const auto key = next_key();
        const auto erased = next_key();
        const auto version = set(key, 0, "v", check_short);
        const auto of_erased = set(erased, 0, "v", check_short);
        if (!version || !of_erased) return;
        expect_version(key, *version, "v", "an entry whose time has not passed");
        pass_time(check_pause);
        expect_erased(erased, *of_erased, false, "the version of an entry that expired");
        expect_absent(key, "an entry that expired");
        const std::vector<std::string> keys{key};
        if (const auto read = each(keys); read && read->size() == 1 && read->front()) {
            fault("get_each gave an entry that expired");
        }
        if (const auto wrote = set(key, 0, "x"); wrote && *wrote == 0) {
            fault("compare_and_set with 0 did not write where the entry had expired");
        }
        const auto other = next_key();
        const auto of_other = set(other, 0, "v", check_short);
        if (!of_other) return;
        pass_time(check_pause);
        if (const auto wrote = set(other, *of_other, "x"); wrote && *wrote != 0) {
            fault("compare_and_set wrote over the version of an entry that expired");
        }
    }

    void time_to_live_is_replaced() {
        const auto longer = next_key();
        const auto shorter = next_key();
        const auto first = set(longer, 0, "v", check_short);
        const auto other = set(shorter, 0, "v");
        if (!first || !other) return;
        const auto kept = set(longer, *first, "v");
        const auto cut = set(shorter, *other, "v", check_short);
        if (!kept || !cut) return;
        pass_time(check_pause);
        expect_version(longer, *kept, "v", "an entry that was written again, to live longer");
        expect_absent(shorter, "an entry that was written again, to live shorter");
        for (const auto time_to_live : {milliseconds{0}, milliseconds{-1}, (milliseconds::min)()}) {
            const auto key = next_key();
            const auto version = set(key, 0, "v");
            if (!version) return;
            const auto ended = set(key, *version, "v", time_to_live);
            if (!ended) return;
            if (*ended == 0) fault("a write with a time to live that is not positive was refused");
            expect_absent(key, "an entry whose time to live was not positive");
        }
    }

    void forever_does_not_expire() {
        for (const auto time_to_live : {Store::forever, Store::forever - milliseconds{1}}) {
            const auto key = next_key();
            const auto version = set(key, 0, "v", time_to_live);
            if (!version) return;
            expect_version(key, *version, "v", "an entry that is kept forever");
            static_cast<void>(checked("erase", [&] { return store_->erase(key, *version); }));
        }
    }

    void several_are_read() {
        const auto a = next_key();
        const auto b = next_key();
        const auto c = next_key();
        const auto of_a = set(a, 0, "of a");
        const auto of_c = set(c, 0, "of c");
        if (!of_a || !of_c) return;
        const std::vector<std::string> keys{c, b, a, c};
        const auto read = each(keys);
        if (!read) return;
        if (read->size() != keys.size()) {
            fault("get_each answered " + std::to_string(read->size()) + " entries for " +
                  std::to_string(keys.size()) + " keys");
            return;
        }
        const auto is = [&](std::size_t at, std::string_view value, std::uint64_t version) {
            const auto& entry = (*read)[at];
            return entry && entry->value == value && entry->version == version;
        };
        if ((*read)[1]) fault("get_each gave an entry for a key that has none");
        if (!is(0, "of c", *of_c) || !is(2, "of a", *of_a)) {
            fault("get_each did not give the entries in the order of their keys");
        }
        if (!is(3, "of c", *of_c)) fault("get_each did not give a key's entry a second time");
        if (const auto none = each({}); none && !none->empty()) {
            fault("get_each of no keys answered entries");
        }
    }

    void several_are_written() {
        const auto a = next_key();
        const auto b = next_key();
        const auto of_b = set(b, 0, "of b");
        if (!of_b) return;
        const auto c = next_key();
        const auto d = next_key();
        const auto write = [](const std::string& key, std::uint64_t expected, const char* value) {
            return StoreWrite{key, expected, value, check_lasts, Keep::pinned};
        };
        const auto written = several({write(a, 0, "of a"), write(b, *of_b, "again")});
        if (!written) return;
        if (written->size() != 2 || (*written)[0] == 0 || (*written)[1] <= *of_b) {
            fault("compare_and_set_each did not answer a version for each of two writes");
            return;
        }
        expect_version(a, written->front(), "of a", "the first of two writes");
        expect_version(b, written->back(), "again", "the second of two writes");
        const auto stopped =
            several({write(c, 0, "of c"), write(b, *of_b, "late"), write(d, 0, "of d")});
        if (!stopped) return;
        if (stopped->size() != 2 || stopped->front() == 0 || stopped->back() != 0) {
            fault(
                "compare_and_set_each did not answer up to the write that is refused, that with 0");
            return;
        }
        expect_version(c, stopped->front(), "of c", "a write ahead of the one that is refused");
        expect_version(b, written->back(), "again", "an entry whose write was refused");
        expect_absent(d, "a key whose write follows the one that is refused");
        if (const auto none = several({}); none && !none->empty()) {
            fault("compare_and_set_each of no writes answered versions");
        }
    }

    void one_of_several_writers_wins() {
        const auto key = next_key();
        std::mutex mutex;
        int won = 0;
        at_once([&](Store& store, int) {
            const auto wrote = checked("compare_and_set", [&] {
                return store.compare_and_set(key, 0, "mine", check_lasts, Keep::pinned);
            });
            const std::lock_guard lock(mutex);
            if (wrote && *wrote != 0) ++won;
        });
        if (won != 1) {
            fault("of " + std::to_string(options_.threads) +
                  " threads that wrote one key at once with 0, " + std::to_string(won) +
                  " were told that they had");
        }
    }

    void no_write_is_lost() {
        const auto key = next_key();
        if (!set(key, 0, "0")) return;
        std::mutex mutex;
        std::multiset<std::uint64_t> versions;
        at_once([&](Store& store, int) {
            for (int i = 0; i < options_.writes_per_thread; ++i) {
                const auto version = count_up(store, key);
                if (!version) return;
                const std::lock_guard lock(mutex);
                versions.insert(*version);
            }
        });
        const auto written = versions.size();
        const auto end = get(key);
        if (!end.answered) return;
        if (!end.entry || end.entry->value != std::to_string(written)) {
            fault(std::to_string(written) + " writes of several threads counted one entry up to " +
                  (end.entry ? end.entry->value : "nothing") + ": compare_and_set is not atomic");
        }
        if (std::set<std::uint64_t>(versions.begin(), versions.end()).size() != written) {
            fault("threads that wrote one key at once were given the same version");
        }
    }

    /// Until it succeeds. The version that was given.
    std::optional<std::uint64_t> count_up(Store& store, const std::string& key) {
        // Another's write is in the way of each that fails; more than there are is another fault.
        const int rounds = options_.threads * options_.writes_per_thread + 1;
        for (int round = 0; round < rounds; ++round) {
            const auto read = checked("get", [&] { return store.get(key); });
            if (!read) return std::nullopt;
            if (!*read) {
                fault("an entry that threads write at once was not there");
                return std::nullopt;
            }
            const auto next = std::to_string(checked_number((*read)->value) + 1);
            const auto wrote = checked("compare_and_set", [&] {
                return store.compare_and_set(key, (*read)->version, next, check_lasts,
                                             Keep::pinned);
            });
            if (!wrote) return std::nullopt;
            if (*wrote != 0) return *wrote;
        }
        fault("compare_and_set never writes over the version that get has just given");
        return std::nullopt;
    }

    // ---- Operations, whose failures are faults

    template <class Operation>
    auto checked(std::string_view name, const Operation& operation)
        -> std::optional<std::decay_t<decltype(operation().value())>> {
        try {
            auto result = operation();
            if (result) return std::move(result).value();
            fault(std::string(name) + " answered an error: " + result.error().what());
            if (!is_store_error(result.error())) {
                fault(std::string(name) + " answered an error that is no store_error");
            }
        } catch (const std::exception& exception) {
            fault(std::string(name) + " threw an exception: " + exception.what());
        } catch (...) {
            fault(std::string(name) + " threw an exception");
        }
        return std::nullopt;
    }

    CheckedEntry get(const std::string& key) {
        auto read = checked("get", [&] { return store_->get(key); });
        if (!read) return {};
        return {true, std::move(*read)};
    }
    std::optional<std::uint64_t> set(const std::string& key, std::uint64_t expected,
                                     std::string_view value,
                                     milliseconds time_to_live = check_lasts,
                                     Keep keep = Keep::pinned) {
        return checked("compare_and_set", [&] {
            return store_->compare_and_set(key, expected, value, time_to_live, keep);
        });
    }
    std::optional<std::vector<std::optional<StoredValue>>> each(std::span<const std::string> keys) {
        return checked("get_each", [&] { return store_->get_each(keys); });
    }

    std::optional<std::vector<std::uint64_t>> several(const std::vector<StoreWrite>& writes) {
        return checked("compare_and_set_each",
                       [&] { return store_->compare_and_set_each(writes); });
    }

    void expect_version(const std::string& key, std::uint64_t version, std::string_view value,
                        const std::string& what) {
        const auto read = get(key);
        if (!read.answered) return;
        if (version == 0) return fault(what + ": compare_and_set did not write it, or gave 0");
        if (!read.entry) return fault(what + ": get did not find it");
        if (read.entry->value != value) fault(what + ": get gave another value than was written");
        if (read.entry->version != version) {
            fault(what + ": get gave another version than compare_and_set");
        }
    }
    void expect_absent(const std::string& key, const std::string& what) {
        if (get(key).entry) fault(what + ": get found an entry");
    }
    void expect_erased(const std::string& key, std::uint64_t expected, bool erased,
                       const std::string& what) {
        const auto answer = checked("erase", [&] { return store_->erase(key, expected); });
        if (!answer || *answer == erased) return;
        fault(std::string(erased ? "erase did not erase: " : "erase said that it erased: ") + what);
    }
    void refuse_write(const std::string& key, std::uint64_t expected, std::uint64_t version,
                      std::string_view value, const std::string& what) {
        const auto wrote = set(key, expected, "x");
        if (!wrote) return;
        if (*wrote != 0) return fault("compare_and_set wrote, expecting " + what);
        expect_version(key, version, value, "an entry whose write was refused");
    }

    // ---- Tools

    /// Each thread with a store of its own.
    template <class Work>
    void at_once(const Work& work) {
        std::vector<std::shared_ptr<Store>> stores;
        stores.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) stores.push_back(open_());
        std::vector<std::thread> threads;
        threads.reserve(stores.size());
        for (int i = 0; i < options_.threads; ++i) {
            threads.emplace_back([&, i] { work(*stores[static_cast<std::size_t>(i)], i); });
        }
        for (auto& thread : threads) thread.join();
    }

    void pass_time(milliseconds time) {
        if (options_.pass_time) return options_.pass_time(time);
        std::this_thread::sleep_for(time);
    }

    std::string next_key() {
        return "twiliowa-check-store/" + prefix_ + std::to_string(++keys_) + '/';
    }

    /// Each once: some are found many times.
    void fault(std::string text) {
        const std::lock_guard lock(faults_mutex_);
        if (std::find(faults_.begin(), faults_.end(), text) == faults_.end()) {
            faults_.push_back(std::move(text));
        }
    }

    const StoreFactory& open_;
    const CheckStoreOptions& options_;
    std::shared_ptr<Store> store_;
    std::shared_ptr<Store> other_;
    std::string prefix_ = {};
    int keys_ = 0;
    std::mutex faults_mutex_;
    std::vector<std::string> faults_ = {};
};

}  // namespace

std::vector<std::string> check_store(const StoreFactory& open, const CheckStoreOptions& options) {
    if (!open) Error::invalid_request("open", "is null").raise();
    if (options.threads < 1) Error::invalid_request("threads", "is less than 1").raise();
    if (options.writes_per_thread < 1) {
        Error::invalid_request("writes_per_thread", "is less than 1").raise();
    }
    return StoreCheck{open, options}.run();
}

}  // namespace twiliowa::testing
