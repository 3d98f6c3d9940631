#include "state/guarded_store.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "support/store_doubles.hpp"

namespace guarded_store_test {

using namespace twiliowa;
using twiliowa::testing::ThrowingStore;

TEST_CASE("whatever a guarded store throws becomes an error of the store, without its words") {
    const auto store = detail::guarded_store(std::make_shared<ThrowingStore>());
    const auto check = [](const Error& error) {
        CHECK(is_store_error(error));
        CHECK(error.effect() == Effect::none);
        CHECK_MESSAGE(error.what().find("10.0.0.7") == std::string::npos, error.what());
    };
    check(store->get("key").error());
    check(store->compare_and_set("key", 0, "value", Store::forever, Keep::evictable).error());
    check(store->erase("key", 1).error());
    check(store->get_each(std::vector<std::string>{"key"}).error());
    check(store->compare_and_set_each(std::vector<StoreWrite>{{.key = "key"}}).error());
}

TEST_CASE("a guarded store passes on what the store answers") {
    const auto store = detail::guarded_store(std::make_shared<MemoryStore>());
    const auto version =
        store->compare_and_set("key", 0, "value", Store::forever, Keep::evictable).value();
    CHECK(version != 0);
    const auto entry = store->get("key").value();
    REQUIRE(entry);
    CHECK(entry->value == "value");
    CHECK(entry->version == version);
    CHECK(store->erase("key", version).value());
    CHECK_FALSE(store->get("key").value());
}

namespace {

/// Forgets a key.
class ForgetfulStore final : public Store {
public:
    Result<std::optional<StoredValue>> get(std::string_view key) override { return inner.get(key); }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        return inner.compare_and_set(key, expected, value, time_to_live, keep);
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return inner.erase(key, expected);
    }
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override {
        return inner.get_each(keys.subspan(1));
    }
    Result<std::vector<std::uint64_t>> compare_and_set_each(std::span<const StoreWrite>) override {
        return versions;
    }
    MemoryStore inner;
    std::vector<std::uint64_t> versions = {};
};

}  // namespace

TEST_CASE("a store that answers too few keys of several is found out") {
    const auto store = detail::guarded_store(std::make_shared<ForgetfulStore>());
    const std::vector<std::string> keys{"a", "b"};
    CHECK(is_store_error(store->get_each(keys).error()));
}

TEST_CASE("a store that answers another number of writes than were made is found out") {
    const auto forgetful = std::make_shared<ForgetfulStore>();
    const auto store = detail::guarded_store(forgetful);
    const std::vector<StoreWrite> writes{{.key = "a"}, {.key = "b"}};
    const auto answers = [&](std::vector<std::uint64_t> versions) {
        forgetful->versions = std::move(versions);
        return store->compare_and_set_each(writes);
    };
    CHECK(is_store_error(answers({}).error()));
    CHECK(is_store_error(answers({1}).error()));
    CHECK(is_store_error(answers({1, 2, 3}).error()));
    CHECK(is_store_error(answers({1, 2, 0}).error()));
    CHECK(is_store_error(answers({0, 2}).error()));
    CHECK(answers({1, 2}).value() == std::vector<std::uint64_t>{1, 2});
    CHECK(answers({0}).value() == std::vector<std::uint64_t>{0});
    CHECK(answers({1, 0}).value() == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("there is no guarding a store that is null") {
    CHECK_THROWS_AS(detail::guarded_store(nullptr), InvalidRequestError);
}

}  // namespace guarded_store_test
