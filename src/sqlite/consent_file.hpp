/// @file
/// The file of SqliteConsents: its tables, and what a transaction does with them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/consent_storage.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// In the file's header: "TwWc".
inline constexpr int consent_application_id = 0x54775763;
/// Of the tables. A later one is not touched.
inline constexpr int consent_schema_version = 1;

/// A connection with the tables made. A file that is another's stays as it was.
Result<std::unique_ptr<SqliteConnection>> open_consent_file(const std::string& path,
                                                            std::chrono::milliseconds busy_timeout);

// For who has begun a transaction.

Result<std::size_t> add_consents(SqliteConnection& file, std::span<const ConsentRecord> records);
Result<std::vector<ConsentAnswer>> latest_consents(SqliteConnection& file,
                                                   std::span<const ConsentQuestion> questions);
Result<std::vector<ConsentRecord>> consent_history(SqliteConnection& file, std::string_view person);
Result<ForgottenConsents> forget_consents(SqliteConnection& file, std::string_view person,
                                          TimePoint since, TimePoint before);

}  // namespace twiliowa::detail
