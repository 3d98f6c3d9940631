#include "redis/fault.hpp"

#include <algorithm>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {
namespace {

bool is_capital(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}

/// `ERR Error running script (call to f_...): @user_script:6: @user_script: 6: -OOM command ...`
std::string_view quoted_error(std::string_view error) noexcept {
    constexpr std::string_view mark = "@user_script: ";
    const auto found = error.find(mark);
    if (found == std::string_view::npos) return error;
    error.remove_prefix(found + mark.size());
    const auto colon = error.find(": ");
    if (colon == std::string_view::npos) return error;
    error.remove_prefix(colon + 2);
    if (!error.empty() && error.front() == '-') error.remove_prefix(1);
    return error;
}

bool holds(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

/// Those for which Redis has no word of their own.
RedisFault fault_of_plain_error(std::string_view error) noexcept {
    if (holds(error, "max number of clients")) return RedisFault::crowded;
    if (holds(error, "DB index") || holds(error, "SELECT is not allowed")) {
        return RedisFault::no_database;
    }
    if (holds(error, "invalid password") || holds(error, "AUTH")) return RedisFault::no_login;
    return RedisFault::other;
}

}  // namespace

std::string_view redis_word(std::string_view error) noexcept {
    const auto quoted = quoted_error(error);
    const auto end = static_cast<std::size_t>(
        std::find_if_not(quoted.begin(), quoted.end(), is_capital) - quoted.begin());
    const bool is_word = end >= 3 && end <= 16 && (end == quoted.size() || quoted[end] == ' ');
    return is_word ? quoted.substr(0, end) : std::string_view{};
}

RedisFault redis_fault(std::string_view error) noexcept {
    struct Meaning {
        std::string_view word;
        RedisFault fault;
    };
    static constexpr Meaning meanings[] = {
        {"NOSCRIPT", RedisFault::no_script},
        {"MOVED", RedisFault::cluster},
        {"ASK", RedisFault::cluster},
        {"CROSSSLOT", RedisFault::cluster},
        {"CLUSTERDOWN", RedisFault::cluster},
        {"TRYAGAIN", RedisFault::cluster},
        {"READONLY", RedisFault::read_only},
        {"OOM", RedisFault::full},
        {"LOADING", RedisFault::loading},
        {"MASTERDOWN", RedisFault::loading},
        {"BUSY", RedisFault::busy},
        {"MISCONF", RedisFault::no_disk},
        {"NOREPLICAS", RedisFault::no_replicas},
        {"NOAUTH", RedisFault::no_login},
        {"WRONGPASS", RedisFault::no_login},
        {"DENIED", RedisFault::no_login},
        {"NOPERM", RedisFault::no_rights},
        {"WRONGTYPE", RedisFault::not_ours},
    };
    const auto word = redis_word(error);
    for (const auto& meaning : meanings) {
        if (word == meaning.word) return meaning.fault;
    }
    return word == "ERR" ? fault_of_plain_error(error) : RedisFault::other;
}

bool passes_by_itself(RedisFault fault) noexcept {
    switch (fault) {
        case RedisFault::unreachable:
        case RedisFault::lost:
        case RedisFault::loading:
        case RedisFault::busy:
        case RedisFault::crowded:
            return true;
        default:
            return false;
    }
}

Error redis_answer_error(std::string_view error) {
    return redis_error(redis_fault(error), redis_word(error));
}

Error redis_error(RedisFault fault, std::string_view word) {
    const auto said = word.empty() ? std::string{} : " (Redis " + std::string{word} + ")";
    switch (fault) {
        case RedisFault::unreachable:
            return store_error("cannot be reached" + said,
                               "see that the server runs, that its address is right, and that it "
                               "takes connections from here (bind, protected-mode, TLS); nothing "
                               "was done, try again");
        case RedisFault::lost:
            return store_error("lost its server in the middle" + said,
                               "what was asked for may have been done; try again");
        case RedisFault::cluster:
            return store_error("is a cluster, of which one node is known here" + said,
                               "RedisPool is for one server: implement RedisConnection over a "
                               "client that knows clusters");
        case RedisFault::read_only:
            return store_error("is a replica, which takes no writes and may lag behind" + said,
                               "name the primary");
        case RedisFault::full:
            return store_error("is full" + said,
                               "give the server more memory (maxmemory), or let entries live "
                               "shorter; nothing was done");
        case RedisFault::loading:
            return store_error("is not ready" + said,
                               "the server reads its data, or waits for its primary; nothing was "
                               "done, try again");
        case RedisFault::busy:
            return store_error("waits for another's script" + said,
                               "nothing was done, try again; if it lasts, end it with SCRIPT KILL");
        case RedisFault::no_disk:
            return store_error("cannot write to its disk" + said,
                               "see the server's log and its free space; nothing was done");
        case RedisFault::no_replicas:
            return store_error("has too few replicas" + said,
                               "see min-replicas-to-write and the replicas; nothing was done");
        case RedisFault::no_login:
            return store_error("refuses the login" + said,
                               "see the user in the URL, the password in the options or in "
                               "REDISCLI_AUTH, and the server's protected-mode");
        case RedisFault::no_rights:
            return store_error("refuses this user" + said,
                               "grant it +info, +eval, +evalsha, +time, +hmget, +hset, +hdel, "
                               "+hexists, +pexpire, +persist, for a limiter +get, +set, +zadd, "
                               "+zremrangebyscore and +zcard, too, and the keys of the prefix");
        case RedisFault::no_database:
            return store_error("has no such database" + said,
                               "see the server's setting databases; a cluster has 0 alone");
        case RedisFault::crowded:
            return store_error("has no connection left" + said,
                               "raise the server's maxclients, or lower connections; nothing was "
                               "done, try again");
        case RedisFault::not_ours:
            return store_error("finds what is not its own under its keys" + said,
                               "give it a prefix that no other program uses");
        case RedisFault::no_script:
        case RedisFault::other:
            break;
    }
    return store_error("failed" + said, "see the server's log");
}

}  // namespace twiliowa::detail
