/// @file
/// Members of a StoredJob as the values that an engine keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::detail {

std::string_view bytes_of(const JobId& id) noexcept;
std::string_view bytes_of(const AttemptNonce& nonce) noexcept;
JobId read_job_id(std::string_view bytes) noexcept;
AttemptNonce read_nonce(std::string_view bytes) noexcept;

/// Microseconds since 1970.
std::int64_t stored_time(TimePoint time) noexcept;
TimePoint time_of_stored(std::int64_t microseconds) noexcept;

/// As many rows as that, or as an engine counts.
std::int64_t row_limit(std::size_t limit) noexcept;

/// In one text, from which any bytes come back.
std::string join_texts(const std::vector<std::string>& texts);
std::vector<std::string> split_texts(std::string_view joined);

/// Where attempts were counted, as one text: `1+60@1764543600,0@1764547200;`, and with the name and
/// the amount of what is not the job's own quota: `1+5:spend78900=86400@1764543600;`.
std::string write_counted(const std::vector<CountedAttempt>& counted);
std::vector<CountedAttempt> read_counted(std::string_view text);

/// What cannot be read is `hold`, which never sends twice.
OnUnknown read_policy(std::string_view text);

/// Whether somebody has it, or had it and has left the time of it.
bool is_leased(const StoredJob& job) noexcept;

}  // namespace twiliowa::detail
