#include "postgresql/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_timeout = std::chrono::hours{24};

/// What is left to a deadline, in milliseconds, rounded up.
int milliseconds_to(std::chrono::steady_clock::time_point deadline) {
    const auto left = deadline - std::chrono::steady_clock::now();
    return static_cast<int>(
        std::max<milliseconds::rep>(std::chrono::ceil<milliseconds>(left).count(), 0));
}

/// libpq has the SQLSTATE of a login that was refused in its message alone. With this verbosity
/// that is all that the message has after "FATAL:".
std::string_view sqlstate_in(std::string_view message) {
    constexpr std::size_t length = 5;
    const auto is_part = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) {
        message.remove_suffix(1);
    }
    if (message.size() <= length) return {};
    const auto last = message.substr(message.size() - length);
    if (!std::all_of(last.begin(), last.end(), is_part)) return {};
    return message[message.size() - length - 1] == ' ' ? last : std::string_view{};
}

std::string_view sqlstate_of(const PGresult* result) {
    const auto* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state == nullptr ? std::string_view{} : std::string_view{state};
}

/// After these the server hangs up, whatever it had done by then.
bool ends_session(const PGresult* result) {
    const auto* const severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const std::string_view text{severity == nullptr ? "" : severity};
    return text == "FATAL" || text == "PANIC";
}

bool is_good(const PGresult* result) {
    const auto status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/// What the server says beside its answers may quote rows, and would go to the standard error.
void drop_notice(void*, const PGresult*) {}

constexpr int in_binary = 1;

constexpr std::size_t most_kept = 300;

/// More settings of a transaction: its statements are planned once in `plans_kept`, and not for
/// each of their values, which takes longer than to run them; and so that a table which was empty
/// then is not read whole when it has grown. Where there is no session of its own, nothing is
/// prepared, and each is planned anyway.
constexpr const char* planned_once =
    ", pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true), "
    "pg_catalog.set_config('enable_seqscan', 'off', true), "
    "pg_catalog.set_config('jit', 'off', true)";

/// A row was on its way into the partition of what has none while somebody made the partition that
/// it belongs to: a check_violation, and of no constraint that has a name.
bool is_of_a_new_partition(const pg_result* result, std::string_view sqlstate) {
    return sqlstate == "23514" && PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) == nullptr;
}

/// A statement that was prepared is not known, or not what it was: a pooler looks like a server, or
/// somebody has changed a table.
bool concerns_prepared(std::string_view sqlstate) {
    return sqlstate == "26000" || sqlstate == "42P05" || sqlstate == "0A000";
}

}  // namespace

// ---- PostgresConnection

PostgresConnection::PostgresConnection(PostgresTarget target, PostgresConnectionOptions options)
    : target_(std::move(target)), options_(std::move(options)) {}

PostgresConnection::~PostgresConnection() {
    close();
}

void PostgresConnection::close() noexcept {
    if (connection_ != nullptr && !borrowed_) PQfinish(connection_);
    if (!borrowed_) connection_ = nullptr;
}

void PostgresConnection::abandon() noexcept {
    // What libpq keeps of it stays in memory: to free it is to say good-bye.
    if (connection_ != nullptr) ::close(PQsocket(connection_));
    connection_ = nullptr;
}

bool PostgresConnection::is_in_transaction() const noexcept {
    return connection_ != nullptr && PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

int PostgresConnection::server_version() const noexcept {
    return connection_ != nullptr ? PQserverVersion(connection_) : 0;
}

PostgresConnection::Deadline PostgresConnection::deadline() const {
    return std::min(latest_,
                    std::chrono::steady_clock::now() +
                        std::clamp(options_.statement_timeout, milliseconds{0}, longest_timeout));
}

Error PostgresConnection::fail(PostgresFault fault, std::string_view sqlstate) {
    fault_ = fault;
    return postgres_error(fault, sqlstate);
}

Error PostgresConnection::fail_with(const pg_result* result) {
    const std::string sqlstate{sqlstate_of(result)};
    if (ends_session(result) || sqlstate.empty()) {
        close();
        return fail(PostgresFault::lost, sqlstate);
    }
    if (is_direct_ && concerns_prepared(sqlstate)) {
        is_direct_ = false;
        return fail(PostgresFault::conflict, sqlstate);
    }
    if (is_of_a_new_partition(result, sqlstate)) return fail(PostgresFault::conflict, sqlstate);
    return fail(postgres_fault(sqlstate), sqlstate);
}

Error PostgresConnection::lose() {
    close();
    return fail(PostgresFault::lost);
}

// ---- Connecting

Result<void> PostgresConnection::open() {
    fault_ = PostgresFault::none;
    return connection_ != nullptr ? Result<void>{} : connect();
}

Result<void> PostgresConnection::connect() {
    const auto begin = std::chrono::steady_clock::now();
    const auto usual = std::clamp(options_.connect_timeout, milliseconds{0}, longest_timeout);
    const auto timeout = std::min<Deadline::duration>(usual, std::max(latest_, begin) - begin);
    Result<void> connected = fail(PostgresFault::unreachable);
    const auto count = static_cast<int>(target_.servers.size());
    for (int i = 0; i < count && !connected; ++i) {
        // A server that does not answer leaves time for the others.
        connected = connect_to(target_.servers[static_cast<std::size_t>(i)],
                               begin + timeout * (i + 1) / count);
    }
    if (!connected) return connected;
    fault_ = PostgresFault::none;
    if (auto known = find_out_whether_direct(); !known) return known;
    if (!options_.on_open || opening_) return {};
    opening_ = true;
    auto checked = options_.on_open(*this);
    opening_ = false;
    if (checked) return {};
    // Its fault is that of a statement, or of what the server is.
    const auto fault = fault_ == PostgresFault::none ? PostgresFault::other : fault_;
    close();
    fault_ = fault;
    return checked.error();
}

Result<void> PostgresConnection::connect_to(const PostgresTarget::Options& server,
                                            Deadline deadline) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : server) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    for (const auto& [name, value] : {std::pair{"client_encoding", "UTF8"},
                                      std::pair{"fallback_application_name", "twiliowa"}}) {
        names.push_back(name);
        values.push_back(value);
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    connection_ = PQconnectStartParams(names.data(), values.data(), 0);
    if (connection_ == nullptr) return fail(PostgresFault::unreachable);
    PQsetErrorVerbosity(connection_, PQERRORS_SQLSTATE);
    PQsetNoticeReceiver(connection_, drop_notice, nullptr);
    auto step =
        PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED) {
            const std::string sqlstate{sqlstate_in(PQerrorMessage(connection_))};
            auto fault = postgres_fault(sqlstate);
            if (sqlstate.empty()) {
                fault = PQconnectionNeedsPassword(connection_) != 0 ? PostgresFault::no_login
                                                                    : PostgresFault::unreachable;
            }
            close();
            return fail(fault, sqlstate);
        }
        if (!await(step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
            close();
            return fail(PostgresFault::unreachable);
        }
        step = PQconnectPoll(connection_);
    }
    PQsetnonblocking(connection_, 1);
    return {};
}

/// A pooler gives its clients a number of its own.
Result<void> PostgresConnection::find_out_whether_direct() {
    kept_.clear();
    is_direct_ = false;
    if (PQsendQuery(connection_, "select pg_catalog.pg_backend_pid()") != 1) return lose();
    const auto rows = only_result(deadline());
    if (!rows) return rows.error();
    is_direct_ =
        rows->size() == 1 && rows->bytes(0, 0) == std::to_string(PQbackendPID(connection_));
    return {};
}

/// A connection, of which nothing is known that speaks against it.
Result<void> PostgresConnection::ready() {
    fault_ = PostgresFault::none;
    if (borrowed_) return {};
    // What is left of a transaction must not be done by itself.
    if (connection_ == nullptr && in_transaction_) return fail(PostgresFault::lost);
    if (connection_ != nullptr && PQtransactionStatus(connection_) == PQTRANS_IDLE && has_ended()) {
        close();
    }
    return connection_ != nullptr ? Result<void>{} : connect();
}

/// Who was not asked and says something says good-bye.
bool PostgresConnection::has_ended() noexcept {
    pollfd socket{PQsocket(connection_), POLLIN, 0};
    return ::poll(&socket, 1, 0) != 0;
}

// ---- Sending and receiving

bool PostgresConnection::await(short events, Deadline deadline) noexcept {
    while (true) {
        pollfd socket{PQsocket(connection_), events, 0};
        const int answer = ::poll(&socket, 1, borrowed_ ? -1 : milliseconds_to(deadline));
        if (answer > 0) return true;
        if (answer == 0 || errno != EINTR) return false;
    }
}

bool PostgresConnection::flush(Deadline deadline) noexcept {
    while (true) {
        const int left = PQflush(connection_);
        if (left <= 0) return left == 0;
        // A server that answers before it has read everything must be listened to meanwhile.
        if (!await(POLLIN | POLLOUT, deadline)) return false;
        if (PQconsumeInput(connection_) == 0) return false;
    }
}

bool PostgresConnection::receive(pg_result*& result, Deadline deadline) noexcept {
    while (PQisBusy(connection_) != 0) {
        if (!await(POLLIN, deadline)) return false;
        if (PQconsumeInput(connection_) == 0) return false;
    }
    result = PQgetResult(connection_);
    return true;
}

bool PostgresConnection::send(const PostgresStatement& statement) {
    const auto& places = statement.values.places_;
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> lengths;
    for (const auto& place : places) {
        types.push_back(place.type);
        // A null pointer would be NULL, not no bytes.
        values.push_back(place.is_null ? nullptr : statement.values.buffer_.data() + place.begin);
        lengths.push_back(static_cast<int>(place.size));
    }
    const std::vector<int> formats(places.size(), in_binary);
    const auto kept = kept_.find(statement.sql);
    if (is_direct_ && kept != kept_.end() && !kept->second.name.empty() &&
        kept->second.types == types) {
        return PQsendQueryPrepared(connection_, kept->second.name.c_str(),
                                   static_cast<int>(places.size()), values.data(), lengths.data(),
                                   formats.data(), in_binary) == 1;
    }
    return PQsendQueryParams(connection_, statement.sql.c_str(), static_cast<int>(places.size()),
                             types.data(), values.data(), lengths.data(), formats.data(),
                             in_binary) == 1;
}

/// Those that have come before: to plan one takes longer than to run it.
Result<void> PostgresConnection::prepare(std::span<const PostgresStatement> statements) {
    if (!is_direct_ || PQtransactionStatus(connection_) == PQTRANS_INERROR) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now >= plans_end_) {
        if (auto forgotten = forget_plans(); !forgotten) return forgotten;
        plans_end_ = now + options_.plans_kept;
    }
    for (const auto& statement : statements) {
        const auto found = kept_.find(statement.sql);
        if (found == kept_.end()) {
            if (kept_.size() < most_kept) kept_.emplace(statement.sql, Kept{});
            continue;
        }
        auto& kept = found->second;
        if (!kept.name.empty()) continue;
        kept.types.clear();
        for (const auto& place : statement.values.places_) kept.types.push_back(place.type);
        const auto name = "twiliowa_" + std::to_string(++prepared_);
        if (PQsendPrepare(connection_, name.c_str(), statement.sql.c_str(),
                          static_cast<int>(kept.types.size()), kept.types.data()) != 1) {
            return lose();
        }
        if (auto done = only_result(deadline()); !done) return done.error();
        kept.name = name;
    }
    return {};
}

Result<void> PostgresConnection::forget_plans() {
    std::string sql;
    for (auto& [text, kept] : kept_) {
        if (kept.name.empty()) continue;
        sql.append("deallocate ").append(kept.name).append(";");
        kept.name.clear();
    }
    if (sql.empty()) return {};
    if (PQsendQuery(connection_, sql.c_str()) != 1) return lose();
    if (auto done = only_result(deadline()); !done) return done.error();
    return {};
}

Result<PostgresRows> PostgresConnection::only_result(Deadline deadline) {
    if (!flush(deadline)) return lose();
    std::optional<PostgresRows> rows;
    std::optional<Error> error;
    while (true) {
        pg_result* result = nullptr;
        if (!receive(result, deadline)) return lose();
        if (result == nullptr) break;
        rows.emplace(result);
        if (is_good(result) || error) continue;
        error = fail_with(result);
        if (connection_ == nullptr) return *error;
    }
    if (error) return *error;
    if (!rows) return lose();
    return std::move(*rows);
}

Result<PostgresRows> PostgresConnection::execute(const PostgresStatement& statement) {
    if (auto opened = ready(); !opened) return opened.error();
    if (auto prepared = prepare({&statement, 1}); !prepared) return prepared.error();
    if (!send(statement)) return lose();
    return only_result(deadline());
}

Result<void> PostgresConnection::run_script(const std::string& sql) {
    if (auto opened = ready(); !opened) return opened.error();
    if (PQsendQuery(connection_, sql.c_str()) != 1) return lose();
    if (auto done = only_result(deadline()); !done) return done.error();
    return {};
}

Result<std::vector<PostgresRows>> PostgresConnection::execute_all(
    std::span<const PostgresStatement> statements) {
    if (statements.empty()) return std::vector<PostgresRows>{};
    if (auto opened = ready(); !opened) return opened.error();
    if (auto prepared = prepare(statements); !prepared) return prepared.error();
    if (PQenterPipelineMode(connection_) != 1) return lose();
    for (const auto& statement : statements) {
        if (!send(statement)) return lose();
    }
    if (PQpipelineSync(connection_) != 1) return lose();
    return results(statements.size(), deadline());
}

Result<std::vector<PostgresRows>> PostgresConnection::results(std::size_t count,
                                                              Deadline deadline) {
    if (!flush(deadline)) return lose();
    std::vector<PostgresRows> answers;
    std::optional<Error> error;
    // Each statement has a result and a null behind it; the end of the pipeline has one result.
    for (auto nulls = count + 1; nulls != 0;) {
        pg_result* result = nullptr;
        if (!receive(result, deadline)) return lose();
        if (result == nullptr) {
            --nulls;
            continue;
        }
        PostgresRows rows{result};
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) break;
        if (is_good(result)) {
            answers.push_back(std::move(rows));
        } else if (!error) {
            error = fail_with(result);
            if (connection_ == nullptr) return *error;
        }
    }
    if (PQexitPipelineMode(connection_) != 1) return lose();
    if (error) return *error;
    if (answers.size() != count) return lose();
    return answers;
}

BorrowedState PostgresConnection::borrowed_state() const noexcept {
    if (PQstatus(connection_) != CONNECTION_OK) return BorrowedState::lost;
    if (PQpipelineStatus(connection_) != PQ_PIPELINE_OFF) return BorrowedState::busy;
    switch (PQtransactionStatus(connection_)) {
        case PQTRANS_INTRANS:
            return BorrowedState::in_transaction;
        case PQTRANS_INERROR:
            return BorrowedState::failed;
        case PQTRANS_IDLE:
            return BorrowedState::ended;
        case PQTRANS_ACTIVE:
            return BorrowedState::busy;
        case PQTRANS_UNKNOWN:
            break;
    }
    return BorrowedState::lost;
}

// ---- BorrowedPostgres

BorrowedPostgres::BorrowedPostgres(pg_conn* connection)
    : connection_(PostgresTarget{}), was_nonblocking_(PQisnonblocking(connection) != 0) {
    connection_.borrowed_ = true;
    connection_.connection_ = connection;
    PQsetnonblocking(connection, 1);
}

BorrowedPostgres::~BorrowedPostgres() {
    if (!was_nonblocking_) PQsetnonblocking(connection_.connection_, 0);
}

Result<void> BorrowedPostgres::check_in_transaction() const {
    if (connection_.borrowed_state() == BorrowedState::in_transaction) return {};
    return store_error("was given a connection without a transaction that goes on",
                       "begin one, look after its errors, and leave pipeline mode");
}

// ---- PostgresTransaction

Result<std::vector<PostgresRows>> PostgresConnection::begin(
    std::span<const PostgresStatement> first) {
    // A little less, so that the server says so before it is given up.
    const auto limit =
        options_.statement_timeout - std::min(options_.statement_timeout / 4, milliseconds{1'000});
    const auto text = std::to_string(std::clamp(limit, milliseconds{1}, longest_timeout).count());
    std::vector<PostgresStatement> statements{
        {"begin isolation level read committed"},
        {"select pg_catalog.set_config('statement_timeout', $1, true), "
         "pg_catalog.set_config('lock_timeout', $1, true), "
         "pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true)" +
         std::string{is_direct_ ? planned_once : ""}}};
    statements.back().values.text(text);
    const auto own = static_cast<std::ptrdiff_t>(statements.size());
    statements.insert(statements.end(), first.begin(), first.end());
    auto begun = execute_all(statements);
    // It was idle for long, and nobody has told it that the server is gone.
    if (!begun && fault_ == PostgresFault::lost) begun = execute_all(statements);
    in_transaction_ = is_in_transaction();
    if (begun) begun->erase(begun->begin(), begun->begin() + own);
    return begun;
}

Result<void> PostgresTransaction::begin() {
    const auto begun = connection_.begin({});
    return begun ? Result<void>{} : begun.error();
}

Result<std::vector<PostgresRows>> PostgresTransaction::begin(
    std::span<const PostgresStatement> first) {
    return connection_.begin(first);
}

Result<void> PostgresTransaction::commit() {
    auto& connection = connection_;
    if (!connection.is_in_transaction()) return connection.lose();
    // What failed before makes of it a rollback, without an error.
    if (PQtransactionStatus(connection.connection_) != PQTRANS_INTRANS) {
        connection.fault_ = PostgresFault::other;
        return store_error("cannot commit what failed before");
    }
    auto committed = connection.run_script("commit");
    if (committed) connection.in_transaction_ = false;
    return committed;
}

PostgresTransaction::~PostgresTransaction() {
    connection_.in_transaction_ = false;
    if (!connection_.is_in_transaction()) return;
    const auto fault = connection_.fault();
    try {
        if (!connection_.run_script("rollback")) connection_.close();
    } catch (...) {
        connection_.close();
    }
    connection_.fault_ = fault;
}

}  // namespace twiliowa::detail
