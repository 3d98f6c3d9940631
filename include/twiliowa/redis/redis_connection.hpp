/// @file
/// What the library asks of a client of Redis: one command, one answer. Link `twiliowa::redis`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

struct redisReply;

namespace twiliowa {

/// What kind of answer it is.
enum class RedisReplyKind {
    nothing,  ///< Redis' nil.
    text,     ///< A string of any bytes, or a status such as `OK`.
    number,
    list,
    error,  ///< The server's own words; they may quote what it was asked for.
};

/// What a server answered to a command.
struct RedisReply {
    RedisReplyKind kind = RedisReplyKind::nothing;  ///< Which of the following it has.
    std::string text = {};              ///< Of a text and an error: `READONLY You can't write ...`.
    std::int64_t number = 0;            ///< Of a number.
    std::vector<RedisReply> list = {};  ///< Of a list.
};

/// What hiredis received, for clients that are made of it.
RedisReply redis_reply(const redisReply& reply);

/// A way to a server of Redis. `RedisPool` is one, for a single server; to use another client (for
/// a cluster, for sentinels, because the program has one already) implement this over it:
/// docs/several-processes.md shows how.
///
/// Safe to call from any thread.
class RedisConnection {
public:
    virtual ~RedisConnection() = default;

    /// Sends a command and waits for its answer, until `deadline` at most. What the server answers
    /// is a value, an error too, also to a login before it (`WRONGPASS ...`). Without an answer: a
    /// store_error without keys, values and passwords, which counts as a server that is away. What
    /// was sent without an answer may have been done, and is not sent again.
    /// @param arguments  the command's name and what follows it: any bytes. Valid during the call.
    ///     Those that come are INFO, and EVALSHA and EVAL, whose first key is `arguments[3]`: by
    ///     that the client of a cluster chooses the node.
    virtual Result<RedisReply> command(std::span<const std::string_view> arguments,
                                       MonotonicTime deadline) = 0;
};

}  // namespace twiliowa
