/// @file
/// The file of a SqliteStore: whose it is, its tables, how it is opened.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// In the file's header; `file` and others tell by it what the file is. "TwWa".
inline constexpr int store_application_id = 0x54775761;
/// Of the tables. A later one is not touched.
inline constexpr int store_schema_version = 1;

/// A connection that is set up as a store's, with the tables made. A file that is another's stays
/// as it was.
Result<std::unique_ptr<SqliteConnection>> open_store_file(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout);

}  // namespace twiliowa::detail
