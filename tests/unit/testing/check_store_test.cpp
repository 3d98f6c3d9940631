#include <twiliowa/testing/check_store.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace check_store_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::check_store;
using twiliowa::testing::ManualClock;

namespace {

using Faults = std::vector<std::string>;

/// A MemoryStore, of which a test breaks one operation.
class FlawedStore final : public Store {
public:
    explicit FlawedStore(std::shared_ptr<Clock> clock) : inner({.clock = std::move(clock)}) {}

    struct Write {
        std::string key = {};
        std::uint64_t expected = 0;
        std::string value = {};
        std::chrono::milliseconds time_to_live{0};
        Keep keep = Keep::pinned;
    };

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return on_get ? on_get(std::string(key)) : inner.get(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        const Write write{std::string(key), expected, std::string(value), time_to_live, keep};
        return on_write ? on_write(write) : pass(write);
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return on_erase ? on_erase(std::string(key), expected) : inner.erase(key, expected);
    }
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override {
        return on_each ? on_each(keys) : inner.get_each(keys);
    }
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override {
        return on_several ? on_several(writes) : inner.compare_and_set_each(writes);
    }

    Result<std::uint64_t> pass(const Write& write) {
        return inner.compare_and_set(write.key, write.expected, write.value, write.time_to_live,
                                     write.keep);
    }

    MemoryStore inner;
    std::function<Result<std::optional<StoredValue>>(const std::string&)> on_get = {};
    std::function<Result<std::uint64_t>(const Write&)> on_write = {};
    std::function<Result<bool>(const std::string&, std::uint64_t)> on_erase = {};
    std::function<Result<std::vector<std::optional<StoredValue>>>(std::span<const std::string>)>
        on_each = {};
    std::function<Result<std::vector<std::uint64_t>>(std::span<const StoreWrite>)> on_several = {};
};

struct Bench {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FlawedStore> store = std::make_shared<FlawedStore>(clock);

    Faults faults() const { return faults_of(store); }
    Faults faults_of(const std::shared_ptr<Store>& of) const {
        return check_store([of] { return of; },
                           {.pass_time = [this](auto time) { clock->advance(time); }});
    }
};

bool tells(const Faults& faults, std::string_view words) {
    return std::any_of(faults.begin(), faults.end(),
                       [&](const auto& fault) { return fault.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("check_store finds no fault with a store that has none") {
    const Bench b;
    CHECK(b.faults() == Faults{});
}

TEST_CASE("check_store finds no fault with a store that reads its keys one by one") {
    Bench b;
    b.store->on_each = [&](auto keys) { return b.store->Store::get_each(keys); };
    CHECK(b.faults() == Faults{});
}

TEST_CASE("check_store tells of a store that can do nothing, and of one that throws") {
    const Bench b;
    CHECK(tells(b.faults_of(std::make_shared<twiliowa::testing::BrokenStore>()),
                "compare_and_set answered an error: "));
    const auto thrown = b.faults_of(std::make_shared<twiliowa::testing::ThrowingStore>());
    CHECK(tells(thrown, "compare_and_set threw an exception"));
    CHECK(tells(thrown, "erase threw an exception"));
}

TEST_CASE("check_store tells of an error that is not a store's") {
    Bench b;
    b.store->on_erase = [](const auto&, auto) -> Result<bool> {
        return Error::invalid_request("key", "is long");
    };
    CHECK(tells(b.faults(), "erase answered an error that is no store_error"));
}

TEST_CASE("check_store tells of a store that its other users do not see") {
    const Bench b;
    const auto faults = check_store(
        [&] { return std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = b.clock}); },
        {.pass_time = [&](auto time) { b.clock->advance(time); }});
    CHECK(tells(faults, "was not read through another"));
    CHECK(tells(faults, "4 were told that they had"));
}

TEST_CASE("check_store finds each guard of the contract that a store lacks") {
    Bench b;
    auto& inner = b.store->inner;
    const auto cut_at_nul = [](const std::string& text) { return text.substr(0, text.find('\0')); };

    SUBCASE("values end at a NUL") {
        b.store->on_write = [&](auto write) {
            write.value = cut_at_nul(write.value);
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "a value of every byte: get gave another value"));
    }
    SUBCASE("long values are cut") {
        b.store->on_write = [&](auto write) {
            write.value.resize(std::min<std::size_t>(write.value.size(), 255));
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "a value of 3000 bytes: get gave another value"));
    }
    SUBCASE("an empty value is none") {
        b.store->on_get = [&](const auto& key) {
            auto read = inner.get(key);
            if (read && *read && (*read)->value.empty()) read->reset();
            return read;
        };
        CHECK(tells(b.faults(), "a value that is empty: get did not find it"));
    }
    SUBCASE("keys end at a NUL") {
        b.store->on_get = [&](const auto& key) { return inner.get(cut_at_nul(key)); };
        b.store->on_write = [&](auto write) {
            write.key = cut_at_nul(write.key);
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "a key that is the beginning of another's: get found an entry"));
        CHECK(tells(b.faults(), "a key that differs after a NUL: get found an entry"));
    }
    SUBCASE("keys are the same in any letters") {
        const auto small = [](std::string text) {
            for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            return text;
        };
        b.store->on_get = [&](const auto& key) { return inner.get(small(key)); };
        b.store->on_write = [&](auto write) {
            write.key = small(write.key);
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "a key in other letters: get found an entry"));
    }
    SUBCASE("it writes whatever is expected") {
        b.store->on_write = [&](auto write) {
            const auto read = inner.get(write.key);
            write.expected = *read ? (*read)->version : 0;
            return b.store->pass(write);
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "wrote where there was no entry"));
        CHECK(tells(faults, "wrote, expecting 0 where there is an entry"));
        CHECK(tells(faults, "wrote, expecting a version that the entry does not have"));
        CHECK(tells(faults, "wrote, expecting the version before the last write"));
        // Four, unless one reads what another overwrites before it writes.
        CHECK(tells(faults, "were told that they had"));
    }
    SUBCASE("it never writes over an entry") {
        b.store->on_write = [&](const auto& write) -> Result<std::uint64_t> {
            return write.expected != 0 ? Result<std::uint64_t>{0} : b.store->pass(write);
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "compare_and_set with the entry's version did not write"));
        CHECK(tells(faults, "never writes over the version that get has just given"));
    }
    SUBCASE("it says 0 for a write that it did") {
        b.store->on_write = [&](const auto& write) -> Result<std::uint64_t> {
            static_cast<void>(b.store->pass(write));
            return std::uint64_t{0};
        };
        CHECK(tells(b.faults(), "did not write where there was no entry, or gave version 0"));
    }
    SUBCASE("get gives another version") {
        b.store->on_get = [&](const auto& key) {
            auto read = inner.get(key);
            if (read && *read) ++(*read)->version;
            return read;
        };
        CHECK(tells(b.faults(), "get gave another version than compare_and_set"));
    }
    SUBCASE("it erases whatever is expected") {
        b.store->on_erase = [&](const auto& key, auto expected) {
            const auto read = inner.get(key);
            return inner.erase(key, *read ? (*read)->version : expected);
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "said that it erased: another version than the entry's"));
    }
    SUBCASE("it says that it erased what was not there") {
        b.store->on_erase = [&](const auto& key, auto expected) -> Result<bool> {
            static_cast<void>(inner.erase(key, expected));
            return true;
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "said that it erased: 0, of a key that never was there"));
        CHECK(tells(faults, "said that it erased: the version of an entry that expired"));
    }
    SUBCASE("it says that it erased, and did not") {
        b.store->on_erase = [&](const auto&, auto expected) -> Result<bool> {
            return expected != 0;
        };
        CHECK(tells(b.faults(), "an erased entry: get found an entry"));
    }
    SUBCASE("it never erases") {
        b.store->on_erase = [&](const auto&, auto) -> Result<bool> { return false; };
        CHECK(tells(b.faults(), "erase did not erase: the entry's version"));
    }
    SUBCASE("nothing expires") {
        b.store->on_write = [&](auto write) {
            if (write.time_to_live.count() > 0) write.time_to_live = Store::forever;
            return b.store->pass(write);
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "an entry that expired: get found an entry"));
        CHECK(tells(faults, "get_each gave an entry that expired"));
        CHECK(tells(faults, "wrote over the version of an entry that expired"));
        CHECK(tells(faults, "did not write where the entry had expired"));
        CHECK(tells(faults, "erased: the version of an entry that expired"));
    }
    SUBCASE("a short time to live is none") {
        b.store->on_write = [&](auto write) {
            if (write.time_to_live < 2s) write.time_to_live = 0ms;
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "an entry whose time has not passed: get did not find it"));
    }
    SUBCASE("a time to live that is not positive is forever") {
        b.store->on_write = [&](auto write) {
            if (write.time_to_live.count() <= 0) write.time_to_live = Store::forever;
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "an entry whose time to live was not positive: get found"));
    }
    SUBCASE("a time to live that is not positive is refused") {
        b.store->on_write = [&](const auto& write) -> Result<std::uint64_t> {
            if (write.time_to_live.count() <= 0) return std::uint64_t{0};
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "a time to live that is not positive was refused"));
    }
    SUBCASE("forever is a time that has long passed") {
        b.store->on_write = [&](auto write) {
            if (write.time_to_live > 365 * 24h) write.time_to_live = -1ms;
            return b.store->pass(write);
        };
        CHECK(tells(b.faults(), "an entry that is kept forever: get did not find it"));
    }
    SUBCASE("the first time to live holds") {
        std::mutex mutex;
        std::map<std::string, std::chrono::milliseconds> first;
        b.store->on_write = [&](auto write) {
            const std::lock_guard lock(mutex);
            write.time_to_live = first.try_emplace(write.key, write.time_to_live).first->second;
            return b.store->pass(write);
        };
        const auto faults = b.faults();
        CHECK(tells(faults, "to live longer: get did not find it"));
        CHECK(tells(faults, "to live shorter: get found an entry"));
    }
    SUBCASE("compare_and_set_each goes on after a refusal") {
        b.store->on_several = [&](auto writes) -> Result<std::vector<std::uint64_t>> {
            std::vector<std::uint64_t> versions;
            for (const auto& each : writes) {
                versions.push_back(inner
                                       .compare_and_set(each.key, each.expected, each.value,
                                                        each.time_to_live, each.keep)
                                       .value());
            }
            return versions;
        };
        CHECK(tells(b.faults(), "did not answer up to the write that is refused"));
    }
    SUBCASE("compare_and_set_each writes the first alone") {
        b.store->on_several = [&](auto writes) -> Result<std::vector<std::uint64_t>> {
            return inner.compare_and_set_each(
                writes.first(std::min<std::size_t>(writes.size(), 1)));
        };
        CHECK(tells(b.faults(), "did not answer a version for each of two writes"));
    }
    SUBCASE("compare_and_set_each lets a later one be written") {
        b.store->on_several = [&](auto writes) -> Result<std::vector<std::uint64_t>> {
            auto versions = inner.compare_and_set_each(writes);
            for (const auto& each : writes) {
                static_cast<void>(inner.compare_and_set(each.key, each.expected, each.value,
                                                        each.time_to_live, each.keep));
            }
            return versions;
        };
        CHECK(tells(b.faults(), "a key whose write follows the one that is refused: get found"));
    }
    SUBCASE("get_each leaves out what is not there") {
        b.store->on_each = [&](auto keys) {
            auto read = inner.get_each(keys);
            std::erase_if(*read, [](const auto& entry) { return !entry; });
            return read;
        };
        CHECK(tells(b.faults(), "get_each answered 3 entries for 4 keys"));
    }
    SUBCASE("get_each has an order of its own") {
        b.store->on_each = [&](auto keys) {
            auto read = inner.get_each(keys);
            if (read->size() == 4) std::swap((*read)[0], (*read)[2]);
            return read;
        };
        CHECK(tells(b.faults(), "in the order of their keys"));
    }
    SUBCASE("get_each gives each entry once") {
        b.store->on_each = [&](auto keys) {
            auto read = inner.get_each(keys);
            if (read->size() == 4) (*read)[3].reset();
            return read;
        };
        CHECK(tells(b.faults(), "did not give a key's entry a second time"));
    }
    SUBCASE("get_each of nothing gives something") {
        b.store->on_each = [&](auto keys) {
            auto read = inner.get_each(keys);
            if (read->empty()) read->emplace_back();
            return read;
        };
        CHECK(tells(b.faults(), "get_each of no keys answered entries"));
    }
}

namespace {

/// Counts versions for each entry by itself, and forgets the count with the entry.
class ForgetfulStore final : public Store {
public:
    explicit ForgetfulStore(std::shared_ptr<Clock> clock) : inner_({.clock = std::move(clock)}) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        const std::lock_guard lock(mutex_);
        return read(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        const std::lock_guard lock(mutex_);
        const auto known = read(key);
        if ((*known ? (*known)->version : 0) != expected) return std::uint64_t{0};
        const auto below = inner_.get(key);
        const auto text = std::to_string(expected + 1) + ' ' + std::string(value);
        const auto wrote =
            inner_.compare_and_set(key, *below ? (*below)->version : 0, text, time_to_live, keep);
        return *wrote == 0 ? 0 : expected + 1;
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        const std::lock_guard lock(mutex_);
        const auto known = read(key);
        if (!*known || (*known)->version != expected) return false;
        return inner_.erase(key, inner_.get(key).value()->version);
    }

private:
    Result<std::optional<StoredValue>> read(std::string_view key) {
        auto entry = inner_.get(key);
        if (!entry || !*entry) return entry;
        const auto& text = (*entry)->value;
        const auto version = std::stoull(text.substr(0, text.find(' ')));
        return std::optional<StoredValue>{{text.substr(text.find(' ') + 1), version}};
    }

    std::mutex mutex_;
    MemoryStore inner_;
};

/// Looks first and writes then, which is what a database without a condition in its write does.
class RacingStore final : public Store {
public:
    explicit RacingStore(std::shared_ptr<Clock> clock) : inner_({.clock = std::move(clock)}) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return inner_.get(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        const auto looked = inner_.get(key);
        if ((*looked ? (*looked)->version : 0) != expected) return std::uint64_t{0};
        if (std::this_thread::get_id() != alone_) await_another(key);
        while (true) {
            const auto now = inner_.get(key);
            const auto wrote =
                inner_.compare_and_set(key, *now ? (*now)->version : 0, value, time_to_live, keep);
            if (*wrote != 0) return wrote;
        }
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return inner_.erase(key, expected);
    }

private:
    /// The first of several threads to look writes when another one has looked, too.
    void await_another(std::string_view key) {
        std::unique_lock lock{mutex_};
        auto& looked = looked_[std::string{key}];
        ++looked;
        has_looked_.notify_all();
        has_looked_.wait_for(lock, std::chrono::seconds{10}, [&] { return looked >= 2; });
    }

    const std::thread::id alone_ = std::this_thread::get_id();
    MemoryStore inner_;
    std::mutex mutex_;
    std::condition_variable has_looked_;
    std::map<std::string, int> looked_;  ///< How many threads have, of each key.
};

}  // namespace

TEST_CASE("check_store finds versions that are counted for each entry by itself") {
    const Bench b;
    const auto faults = b.faults_of(std::make_shared<ForgetfulStore>(b.clock));
    CHECK(tells(faults, "a version was given again after its entry was erased"));
    CHECK(tells(faults, "a version was given again after its entry expired"));
    CHECK(faults.size() == 2);
}

TEST_CASE("check_store finds a write that looks first and writes then") {
    const Bench b;
    const auto store = std::make_shared<RacingStore>(b.clock);
    CHECK(tells(b.faults_of(store), "compare_and_set is not atomic"));
}

TEST_CASE("check_store refuses what cannot be checked") {
    CHECK_THROWS_AS(check_store({}), InvalidRequestError);
    CHECK_THROWS_AS(check_store([] { return std::shared_ptr<Store>{}; }), InvalidRequestError);
    const auto store = std::make_shared<MemoryStore>();
    const auto open = [&] { return store; };
    CHECK_THROWS_AS(check_store(open, {.threads = 0}), InvalidRequestError);
    CHECK_THROWS_AS(check_store(open, {.writes_per_thread = 0}), InvalidRequestError);
}

}  // namespace check_store_test
