#include <twiliowa/state/private_store.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/state/key_ring.hpp>
#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"
#include "support/store_doubles.hpp"

namespace private_store_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::check_store;
using twiliowa::testing::ManualClock;

namespace {

using Faults = std::vector<std::string>;

const std::string old_key = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const std::string new_key = "new:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP8=\n";
const std::string number = "whatsapp:+447700900123";

Sealer sealer_of(const std::string& keys) {
    return Sealer{KeyRing::parse(keys)};
}

/// What another store was given: its keys and values.
class SeenStore final : public Store {
public:
    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return store_.get(see(key));
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value, std::chrono::milliseconds lives,
                                          Keep keep) override {
        return store_.compare_and_set(see(key), expected, see(value), lives, keep);
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return store_.erase(see(key), expected);
    }
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override {
        ++many_at_once;
        for (const auto& key : keys) see(key);
        return store_.get_each(keys);
    }
    std::string seen = {};
    int many_at_once = 0;

private:
    std::string_view see(std::string_view text) {
        seen.append(text).append("\n");
        return text;
    }
    MemoryStore store_;
};

std::uint64_t put(Store& store, std::string_view key, std::string_view value) {
    return store.compare_and_set(key, 0, value, 1h, Keep::pinned).value();
}

template <class T>
std::string problem(const Result<T>& result) {
    if (result) return "it was done";
    CHECK(is_store_error(result.error()));
    CHECK_FALSE(result.error().hint().empty());
    CHECK(std::string{result.error().what()}.find("7700900") == std::string::npos);
    return result.error().what();
}

}  // namespace

TEST_CASE("a HashedStore and a SealedStore keep the contract of a store, each and both") {
    const auto clock = std::make_shared<ManualClock>();
    const auto memory = std::make_shared<MemoryStore>(
        MemoryStoreOptions{.max_entry_bytes = 10'000, .clock = clock});
    const auto sealer = sealer_of(new_key + old_key);
    const testing::CheckStoreOptions options{.pass_time = [&](auto time) { clock->advance(time); }};
    CHECK(check_store([&] { return std::make_shared<HashedStore>(memory, sealer, "old"); },
                      options) == Faults{});
    CHECK(check_store([&] { return std::make_shared<SealedStore>(memory, sealer); }, options) ==
          Faults{});
    CHECK(check_store(
              [&] {
                  return std::make_shared<SealedStore>(
                      std::make_shared<HashedStore>(memory, sealer, "old"), sealer);
              },
              options) == Faults{});
}

TEST_CASE("neither a key nor a value is seen by the store below") {
    const auto below = std::make_shared<SeenStore>();
    const auto sealer = sealer_of(old_key);
    SealedStore store{std::make_shared<HashedStore>(below, sealer, "old"), sealer};
    const auto version = put(store, number, "to " + number);
    CHECK(store.get(number).value()->value == "to " + number);
    CHECK(store.get_each(std::vector{number, number + "4"}).value()[0]->value == "to " + number);
    CHECK(below->many_at_once == 1);
    CHECK(store.erase(number, version).value());
    CHECK(below->seen.find("7700900") == std::string::npos);
    CHECK(below->seen == containing("twi1.old."));
    CHECK(below->seen == containing("tws1.old."));
}

TEST_CASE("after a new key entries are found and opened, and new values are sealed with it") {
    const auto below = std::make_shared<SeenStore>();
    const auto before = sealer_of(old_key);
    const auto after = sealer_of(new_key + old_key);
    SealedStore old_store{std::make_shared<HashedStore>(below, before, "old"), before};
    SealedStore new_store{std::make_shared<HashedStore>(below, after, "old"), after};
    const auto version = put(old_store, number, "v");
    CHECK(new_store.get(number).value()->value == "v");
    CHECK(new_store.compare_and_set(number, 0, "w", 1h, Keep::pinned).value() == 0);
    CHECK(new_store.compare_and_set(number, version, "w", 1h, Keep::pinned).value() != 0);
    CHECK(below->seen == containing("tws1.new."));
    CHECK(below->seen.find("twi1.new.") == std::string::npos);
    // One that has not got the new key yet says so.
    CHECK(problem(old_store.get(number)) == containing("has no key"));
    // Whatever stands where in the ring.
    const auto between = sealer_of(old_key + new_key);
    CHECK(SealedStore(std::make_shared<HashedStore>(below, between, "old"), between)
              .get(number)
              .value()
              ->value == "w");
    CHECK_FALSE(HashedStore(below, after, "new").get(number).value().has_value());
    HashedStore lost{below, sealer_of(new_key), "old"};
    CHECK(problem(lost.get(number)) == containing("has no key"));
}

TEST_CASE("a value that was altered, moved, or never sealed does not open") {
    const auto below = std::make_shared<MemoryStore>();
    SealedStore store{below, sealer_of(old_key)};
    put(store, number, "v");
    put(*below, "moved", below->get(number).value()->value);
    put(*below, "plain", "text");
    CHECK(problem(store.get("moved")) == containing("holds a value that does not open"));
    CHECK(problem(store.get("plain")) == containing("holds a value that does not open"));
    CHECK(problem(store.get_each(std::vector<std::string>{number, "plain"})) ==
          containing("holds a value that does not open"));
    CHECK(store.get(number).value()->value == "v");
}

TEST_CASE("what cannot be hashed or sealed is a store_error") {
    const auto below = std::make_shared<MemoryStore>();
    const Sealer nobody{[]() -> Result<KeyRing> { return store_error("is away"); }};
    HashedStore hashed{below, nobody, "old"};
    SealedStore sealed{below, nobody};
    CHECK(is_store_error(hashed.get(number).error()));
    CHECK(is_store_error(hashed.compare_and_set(number, 0, "v", 1h, Keep::pinned).error()));
    CHECK(is_store_error(hashed.erase(number, 1).error()));
    CHECK(is_store_error(hashed.get_each(std::vector{number}).error()));
    CHECK(is_store_error(sealed.compare_and_set(number, 0, "v", 1h, Keep::pinned).error()));
    SealedStore sealing{below, sealer_of(old_key)};
    const std::string long_key(70'000, 'k');
    CHECK(problem(sealing.compare_and_set(long_key, 0, "v", 1h, Keep::pinned)) ==
          containing("refuses an entry of that size"));
    const auto broken = std::make_shared<BrokenStore>();
    CHECK(is_store_error(HashedStore(broken, sealer_of(old_key), "old").get(number).error()));
    CHECK(is_store_error(
        SealedStore(broken, sealer_of(old_key)).get_each(std::vector{number}).error()));
    CHECK_THROWS_AS(HashedStore(nullptr, nobody, "old"), InvalidRequestError);
    CHECK_THROWS_AS(SealedStore(nullptr, nobody), InvalidRequestError);
}

}  // namespace private_store_test
