/// @file
/// What a failure of a server of Redis means for who keeps state in it.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

enum class RedisFault {
    unreachable,  ///< There was no connection to be had: nothing was done.
    lost,         ///< The connection ended, or the deadline passed: it may have been carried out.
    cluster,      ///< The key is on another node.
    read_only,    ///< A replica.
    full,
    loading,      ///< It starts, or follows a primary that is gone.
    busy,         ///< A script goes on too long.
    no_disk,      ///< It cannot save, and so takes no writes.
    no_replicas,  ///< It has fewer than it was told to wait for.
    no_login,     ///< The user or the password is refused, or missing.
    no_rights,    ///< The user may not do that.
    no_database,  ///< There is no database of that number.
    crowded,      ///< It has no connection left.
    not_ours,     ///< Something else is stored there.
    no_script,    ///< It does not know the script yet.
    other,
};

/// The word that an error begins with: `READONLY`. Where Redis 5 and 6 quote the error of a script,
/// that one's. Empty if it begins with something else.
std::string_view redis_word(std::string_view error) noexcept;

RedisFault redis_fault(std::string_view error) noexcept;

/// Whether nothing need be set right for it to end: a server that is away, starts, or is busy.
bool passes_by_itself(RedisFault fault) noexcept;

/// A store_error that names the fault, the word if there is one, and the way out.
Error redis_error(RedisFault fault, std::string_view word = {});
/// For what a server answered. Redis' own words are left out: they may quote keys and values.
Error redis_answer_error(std::string_view error);

}  // namespace twiliowa::detail
