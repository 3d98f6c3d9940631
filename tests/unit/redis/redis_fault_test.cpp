#include "redis/fault.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace redis_fault_test {

using namespace twiliowa;
using namespace twiliowa::detail;

TEST_CASE("the word of a Redis error is what it begins with") {
    CHECK(redis_word("READONLY You can't write against a read only replica.") == "READONLY");
    CHECK(redis_word("NOAUTH") == "NOAUTH");
    CHECK(redis_word("ERR something") == "ERR");
    CHECK(redis_word("") == "");
    CHECK(redis_word("Error compiling script") == "");
    CHECK(redis_word("O K") == "");
    CHECK(redis_word("OOM-like") == "");
    CHECK(redis_word("AVERYLONGWORDTHATISNOTONEOFREDIS x") == "");
    // Redis 5 and 6 quote what a script's command answered.
    CHECK(redis_word("ERR Error running script (call to f_6b1): @user_script:6: @user_script: 6: "
                     "-OOM command not allowed when used memory > 'maxmemory'.") == "OOM");
    CHECK(redis_word("ERR Error running script (call to f_6b1): @user_script:6: @user_script: 6: "
                     "WRONGTYPE Operation against a key") == "WRONGTYPE");
    CHECK(redis_word("ERR Error: @user_script: 6") == "");
}

TEST_CASE("each Redis error is a fault with a way out") {
    const std::pair<std::string_view, RedisFault> meanings[] = {
        {"NOSCRIPT No matching script.", RedisFault::no_script},
        {"MOVED 3999 127.0.0.1:6381", RedisFault::cluster},
        {"ASK 3999 127.0.0.1:6381", RedisFault::cluster},
        {"CLUSTERDOWN The cluster is down", RedisFault::cluster},
        {"CROSSSLOT Keys in request don't hash to the same slot", RedisFault::cluster},
        {"TRYAGAIN Multiple keys request during rehashing of slot", RedisFault::cluster},
        {"READONLY You can't write against a read only replica.", RedisFault::read_only},
        {"OOM command not allowed when used memory > 'maxmemory'.", RedisFault::full},
        {"LOADING Redis is loading the dataset in memory", RedisFault::loading},
        {"MASTERDOWN Link with MASTER is down", RedisFault::loading},
        {"BUSY Redis is busy running a script.", RedisFault::busy},
        {"MISCONF Redis is configured to save RDB snapshots", RedisFault::no_disk},
        {"NOREPLICAS Not enough good replicas to write.", RedisFault::no_replicas},
        {"NOAUTH Authentication required.", RedisFault::no_login},
        {"WRONGPASS invalid username-password pair", RedisFault::no_login},
        {"DENIED Redis is running in protected mode", RedisFault::no_login},
        {"ERR invalid password", RedisFault::no_login},
        {"ERR Client sent AUTH, but no password is set", RedisFault::no_login},
        {"ERR AUTH <password> called without any password configured", RedisFault::no_login},
        {"NOPERM this user has no permissions to run the 'eval' command", RedisFault::no_rights},
        {"ERR DB index is out of range", RedisFault::no_database},
        {"ERR SELECT is not allowed in cluster mode", RedisFault::no_database},
        {"ERR max number of clients reached", RedisFault::crowded},
        {"WRONGTYPE Operation against a key", RedisFault::not_ours},
        {"ERR syntax error", RedisFault::other},
        {"", RedisFault::other},
    };
    for (const auto& meaning : meanings) {
        const auto text = meaning.first;
        const auto fault = meaning.second;
        CAPTURE(text);
        CHECK(redis_fault(text) == fault);
        const auto error = redis_answer_error(text);
        CHECK(is_store_error(error));
        CHECK_FALSE(error.hint().empty());
        const auto word = redis_word(text);
        if (!word.empty()) {
            const std::string said = "(Redis " + std::string{word} + ")";
            CHECK(std::string{error.what()}.find(said) != std::string::npos);
        }
    }
    for (const auto fault : {RedisFault::unreachable, RedisFault::lost}) {
        CHECK_FALSE(redis_error(fault).hint().empty());
    }
}

}  // namespace redis_fault_test
