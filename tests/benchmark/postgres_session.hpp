// A connection of libpq to the server that its variables name, for what measures beside it.
#pragma once

#include <libpq-fe.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "outbox_sample.hpp"

namespace benchmark_support {

class Session {
public:
    explicit Session(const std::string& database)
        : connection_(PQconnectdb(("dbname=" + database).c_str())) {
        need(PQstatus(connection_) == CONNECTION_OK, "connecting");
    }
    ~Session() { PQfinish(connection_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void run(const std::string& sql) { check(PQexec(connection_, sql.c_str())); }
    void prepare(const char* name, const char* sql) {
        check(PQprepare(connection_, name, sql, 0, nullptr));
    }
    /// The rows, each of two columns.
    std::vector<std::pair<std::string, std::string>> ask(const char* name,
                                                         const std::vector<std::string>& values) {
        std::vector<const char*> pointers;
        for (const auto& value : values) pointers.push_back(value.c_str());
        auto* const result = PQexecPrepared(connection_, name, static_cast<int>(values.size()),
                                            pointers.data(), nullptr, nullptr, 0);
        std::vector<std::pair<std::string, std::string>> rows;
        for (int row = 0; row < PQntuples(result); ++row) {
            rows.emplace_back(PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
        }
        check(result);
        return rows;
    }

private:
    static void check(PGresult* result) {
        const auto status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            std::fprintf(stderr, "%s", PQresultErrorMessage(result));
        }
        need(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "a statement");
        PQclear(result);
    }

    PGconn* connection_;
};

inline void make_database(const std::string& name) {
    Session server{"postgres"};
    server.run("drop database if exists " + name);
    server.run("create database " + name);
}

}  // namespace benchmark_support
