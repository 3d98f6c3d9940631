#include "state/guarded_store.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "support/store_doubles.hpp"

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

TEST_CASE("there is no guarding a store that is null") {
    CHECK_THROWS_AS(detail::guarded_store(nullptr), InvalidRequestError);
}
