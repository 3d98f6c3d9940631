#include "postgres_database.hpp"

#include <utility>

#include <twiliowa/state/store.hpp>

namespace support {

namespace wa = twiliowa;

PostgresDatabase::Connection PostgresDatabase::take() {
    {
        const std::lock_guard lock{mutex_};
        if (!free_.empty()) {
            auto connection = std::move(free_.back());
            free_.pop_back();
            return connection;
        }
    }
    Connection connection{PQconnectdb(url_.c_str())};
    if (PQstatus(connection.get()) != CONNECTION_OK) {
        wa::store_error("the database cannot be reached").raise();
    }
    return connection;
}

PostgresDatabase::Rows PostgresDatabase::run(const char* statement,
                                             const std::vector<std::string>& parameters,
                                             PGconn* within) {
    auto own = within == nullptr ? take() : Connection{};
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& each : parameters) values.push_back(each.c_str());
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
        PQexecParams(within == nullptr ? own.get() : within, statement,
                     static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0),
        &PQclear};
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        // The connection is not used again, as it may be what is broken.
        wa::store_error("the database refuses a statement").raise();
    }
    Rows rows(static_cast<std::size_t>(PQntuples(answer.get())));
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
        for (int column = 0; column < PQnfields(answer.get()); ++column) {
            rows[static_cast<std::size_t>(row)].emplace_back(PQgetvalue(answer.get(), row, column));
        }
    }
    if (own) {
        const std::lock_guard lock{mutex_};
        free_.push_back(std::move(own));
    }
    return rows;
}

}  // namespace support
