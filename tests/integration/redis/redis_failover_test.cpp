#include <twiliowa/redis/redis_store.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "memory.hpp"
#include "support/show.hpp"

namespace redis_failover_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

/// A primary, and what follows it.
struct Pair {
    TestRedis primary{{.tcp = true}};
    TestRedis replica{{.replica_of = &primary}};

    /// Returns when it has the entry.
    void replicate(const std::string& key) {
        while (replica.cli({"EXISTS", "twiliowa:" + key}) != "1") {
        }
    }
    /// Its primary is gone for it, and nothing that is written there will come.
    void cut_off() { replica.cli({"REPLICAOF", "127.0.0.1", "1"}); }
    void take_over() {
        primary.kill_now();
        replica.cli({"REPLICAOF", "NO", "ONE"});
    }
};

}  // namespace

TEST_CASE("a replica that takes over without the last writes gives no version again") {
    if (lacks_redis()) return;
    Pair pair;
    const auto before = store_on(pool_to(pair.primary.url()));
    const auto common = put_into(*before, "lease");
    pair.replicate("lease");
    pair.cut_off();
    // Acknowledged, and lost.
    const auto lost = before->compare_and_set("lease", common, "A", 1h, Keep::pinned).value();
    const auto lost_erased = put_into(*before, "erased");
    CHECK(before->erase("erased", lost_erased).value());
    const auto lost_expired = put_into(*before, "expired", 0ms);
    REQUIRE(lost > common);
    pair.take_over();
    const auto after = store_on(pool_to(pair.replica.url()));
    REQUIRE(is_in(*after, "lease"));
    CHECK(after->get("lease").value()->version == common);
    // Who holds the lost one holds nothing: neither can it be gone on with, nor is it another's.
    CHECK(after->compare_and_set("lease", lost, "A", 1h, Keep::pinned).value() == 0);
    CHECK(after->compare_and_set("lease", common, "B", 1h, Keep::pinned).value() > lost);
    CHECK(after->compare_and_set("lease", lost, "A", 1h, Keep::pinned).value() == 0);
    CHECK_FALSE(after->erase("lease", lost).value());
    CHECK(put_into(*after, "erased") > lost_erased);
    CHECK(put_into(*after, "expired") > lost_expired);
}

TEST_CASE("a primary that is gone is named, and the replica that takes over has its entries") {
    if (lacks_redis()) return;
    Pair pair;
    const auto store = store_on(pool_to(pair.primary.url()));
    put_into(*store, "k");
    pair.replicate("k");
    pair.take_over();
    CHECK(store_problem(store->get("k")) == containing("cannot be reached"));
    CHECK(is_in(*store_on(pool_to(pair.replica.url())), "k"));
}

}  // namespace redis_failover_test
