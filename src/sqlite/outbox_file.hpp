/// @file
/// The file of a SqliteOutbox: where it may lie, its tables, what tells it from a copy.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/outbox/storage.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// What the file system is called whose type (statfs) that is; empty if it is one of this machine.
std::string_view network_file_system(unsigned long type) noexcept;

/// An error if the file lies, or would lie, on such a file system.
Result<void> check_file_system(const std::string& path);

/// What to do with tables that are not those of this version.
enum class OutboxTables {
    require,  ///< Refuse.
    make,     ///< Make them in an empty file, refuse earlier ones.
    migrate,  ///< Bring them up to it.
};

/// A connection that is set up as an outbox's. A file that is another's stays as it was, unless
/// `beside_others`: there the tables are made beside those that it has.
Result<std::unique_ptr<SqliteConnection>> open_outbox_file(const std::string& path,
                                                           std::chrono::milliseconds busy_timeout,
                                                           OutboxTables tables, bool beside_others);

/// Refuses, within a transaction, what a later version has changed since the file was opened.
Result<void> check_outbox_tables(SqliteConnection& file);

/// The machine and the file, as a hash: a copy has another.
std::string file_identity(const std::string& path);

/// The time since this machine started. An error if it does not tell which start that was.
Result<LeaseTime> machine_lease_time();

}  // namespace twiliowa::detail
