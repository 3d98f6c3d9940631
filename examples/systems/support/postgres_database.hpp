// A database of PostgreSQL with tables of a system's own, most often the outbox's: what is recorded
// and what is handed over, or handled, are there in one commit.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace support {

/// Thread-safe. What fails throws the error of a store: without a value of a row.
class PostgresDatabase {
public:
    using Rows = std::vector<std::vector<std::string>>;  ///< NULL is an empty text.

    explicit PostgresDatabase(std::string url) : url_(std::move(url)) {}
    /// @param within  runs it in the transaction that is open there; null: by itself.
    Rows run(const char* statement, const std::vector<std::string>& parameters,
             PGconn* within = nullptr);

private:
    struct Close {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    using Connection = std::unique_ptr<PGconn, Close>;
    Connection take();

    const std::string url_;
    std::mutex mutex_ = {};
    std::vector<Connection> free_ = {};  ///< As many as were ever used at once.
};

}  // namespace support
