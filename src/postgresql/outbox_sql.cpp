#include <twiliowa/postgresql/postgres_outbox.hpp>

#include <libpq-fe.h>

#include <charconv>

#include <twiliowa/state/store.hpp>

#include "postgresql/connection.hpp"
#include "postgresql/outbox_rows.hpp"
#include "text/ascii.hpp"
#include "text/hex.hpp"

namespace twiliowa {

namespace detail {
namespace {

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = hex_value(hex[i]);
        const auto low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

/// Its functions take none of that: what a campaign has is inserted by an Outbox.
Result<void> check_inserted_by_others(const StoredJob& job) {
    if (!has_aside(job)) return {};
    return Error::invalid_request(job.campaign.empty() ? "job" : "campaign",
                                  "is not handed over in a transaction of the program's own");
}

}  // namespace
}  // namespace detail

Result<InsertedJob> PostgresOutbox::insert_into(pg_conn* connection, const StoredJob& job) {
    if (connection == nullptr) return Error::invalid_request("connection", "is null");
    if (auto fits = detail::check_inserted_by_others(job); !fits) return fits.error();
    if (PQtransactionStatus(connection) != PQTRANS_INTRANS) {
        return Error::invalid_request("connection", "is in no transaction that goes on",
                                      "begin one, and commit it with what belongs to the message");
    }
    detail::BorrowedPostgres borrowed{connection};
    if (auto fits = borrowed.check_in_transaction(); !fits) return fits.error();
    auto& database = borrowed.connection();
    if (auto begun = database.run_script("savepoint twiliowa_insert"); !begun) return begun.error();
    const auto rows = database.execute(detail::insert_job(job));
    std::optional<InsertedJob> inserted;
    if (rows) inserted = detail::read_inserted(*rows);
    if (!rows) {
        if (auto undone = database.run_script("rollback to savepoint twiliowa_insert"); !undone) {
            return undone.error();
        }
    }
    if (auto released = database.run_script("release savepoint twiliowa_insert"); !released) {
        return released.error();
    }
    if (!rows) return rows.error();
    return std::move(*inserted);
}

OutboxSql OutboxSql::insert(const StoredJob& job) {
    detail::check_inserted_by_others(job).value();
    OutboxSql sql;
    std::string values;
    const auto add = [&](std::string_view before, std::optional<std::string> value,
                         std::string_view after) {
        sql.parameters.push_back(std::move(value));
        if (!values.empty()) values += ", ";
        values += std::string{before} + "$" + std::to_string(sql.parameters.size()) + "::text" +
                  std::string{after};
    };
    const auto bytes = [&](std::string_view value) {
        add("decode(", detail::bytes_in_hex(value), ", 'hex')");
    };
    const auto number = [&](std::optional<std::int64_t> value, std::string_view type) {
        add("(", value ? std::optional{std::to_string(*value)} : std::nullopt,
            ")::" + std::string{type});
    };
    bytes(detail::bytes_of(job.id));
    bytes(job.tenant);
    bytes(job.key);
    bytes(job.content_hash);
    bytes(job.tag);
    bytes(job.account);
    bytes(job.sender);
    bytes(job.customer);
    bytes(job.order_key);
    number(static_cast<std::int64_t>(job.lane), "integer");
    add("", job.on_unknown.str(), "");
    number(job.expires_at ? std::optional{detail::stored_time(*job.expires_at)} : std::nullopt,
           "bigint");
    number(detail::stored_time(job.created_at), "bigint");
    number(detail::stored_time(job.not_before), "bigint");
    number(detail::stored_time(job.updated_at), "bigint");
    bytes(job.payload);
    std::string function = "insert_job";
    if (!job.quota.empty()) {
        bytes(job.quota);
        number(job.cost, "bigint");
        function = "insert_job_with_quota";
    }
    sql.text =
        "select concat_ws(' ', inserted::integer, job_state, encode(job, 'hex'), encode(hash, "
        "'hex')) from twiliowa." +
        function + "(" + values + ")";
    return sql;
}

Result<InsertedJob> OutboxSql::answer(std::string_view column) {
    const auto next = [&] {
        const auto word = column.substr(0, column.find(' '));
        column.remove_prefix(std::min(word.size() + 1, column.size()));
        return word;
    };
    const auto inserted = next();
    const auto state = next();
    const auto id = JobId::parse(next());
    const auto hash = detail::from_hex(next());
    int number = -1;
    std::from_chars(state.data(), state.data() + state.size(), number);
    if ((inserted != "0" && inserted != "1") || number < 0 ||
        number > static_cast<int>(JobState::cancelled) || !id || !hash) {
        return Error::invalid_request("column", "is not what OutboxSql::insert gives");
    }
    return InsertedJob{inserted == "1", *id, *hash, static_cast<JobState>(number)};
}

}  // namespace twiliowa
