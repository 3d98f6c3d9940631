/// @file
/// A file of SQLite that is this library's: whose it is, of what version, how it is opened.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// What a file holds, by its header.
struct FileKind {
    int application_id = 0;  ///< `file` and others tell by it what the file is.
    int schema_version = 0;  ///< Of the tables. A later one is not touched.
};

enum class FileState {
    empty,  ///< Nothing is in it yet.
    older,  ///< Its tables are of an earlier version.
    current,
};

struct OpenedFile {
    std::unique_ptr<SqliteConnection> connection;
    FileState state;  ///< When it was looked at.
};

/// Makes the file, for its owner alone, unless it is there.
Result<void> make_database_file(const std::string& path);

/// What a file is, as the running transaction sees it; an error if it is not to be touched.
using LookAtFile = std::function<Result<FileState>(SqliteConnection&)>;

/// A connection with a write-ahead log, that waits for the disk and overwrites what it erases. A
/// file that `look` refuses stays as it was.
Result<OpenedFile> open_database_file(const std::string& path,
                                      std::chrono::milliseconds busy_timeout,
                                      const LookAtFile& look);

/// By its header alone. One that is another's, or of a later version, is an error.
Result<FileState> file_state(SqliteConnection& file, const FileKind& kind);

Error written_by_later_version();
Error is_other_programs_file(std::string_view hint);

/// What makes a file's header say what it is.
std::string header_sql(const FileKind& kind);

}  // namespace twiliowa::detail
