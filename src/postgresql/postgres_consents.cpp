#include <twiliowa/postgresql/postgres_consents.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "postgresql/connection.hpp"
#include "postgresql/migration.hpp"
#include "postgresql/pool.hpp"
#include "postgresql/server_check.hpp"
#include "state/consent_checks.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Change 0 is granted, 1 withdrawn; times are microseconds since 1970. A purpose is bytes, which
/// no collation compares.
constexpr const char* consent_steps[] = {R"(
create table twiliowa.consent (
    person bytea not null,
    purpose bytea not null,
    change smallint not null,
    at bigint not null,
    source bytea not null,
    primary key (person, purpose, change, at)
);
)"};

constexpr const char* insert_consents = R"(
insert into twiliowa.consent (person, purpose, change, at, source)
select person, purpose, change::smallint, at, source
from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[])
    as new (person, purpose, change, at, source)
on conflict do nothing)";

constexpr const char* select_latest_consents = R"(
select
    (select max(c.at) from twiliowa.consent as c
     where c.person = asked.person and c.purpose = asked.purpose and c.change = 0
       and c.at >= asked.granted_since and c.at < asked.before),
    (select max(c.at) from twiliowa.consent as c
     where c.person = asked.person and c.purpose in (asked.purpose, '') and c.change = 1
       and c.at >= asked.withdrawn_since and c.at < asked.before)
from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[]) with ordinality
    as asked (person, purpose, granted_since, withdrawn_since, before, n)
order by n)";

constexpr const char* select_consent_history =
    "select purpose, change, at, source from twiliowa.consent where person = $1 "
    "order by at, change, purpose";

constexpr const char* delete_consents = R"(
delete from twiliowa.consent
where person = $1 and at >= $2 and at < $3 and (purpose, change, at) not in (
    select purpose, 1::smallint, max(at) from twiliowa.consent
    where person = $1 and at >= $2 and at < $3 group by purpose))";
constexpr const char* blank_consents =
    "update twiliowa.consent set source = '' where person = $1 and at >= $2 and at < $3";

const PostgresMigration& consent_migration() {
    static const PostgresMigration migration{"consents", consent_steps};
    return migration;
}

PostgresConnectionOptions consent_connection_options(const PostgresConsentsOptions& options) {
    return {options.connect_timeout, options.statement_timeout,
            [](PostgresConnection& connection) -> Result<void> {
                if (auto checked = check_durable(connection); !checked) return checked.error();
                return {};
            }};
}

Result<PostgresTarget> checked_consent_target(const std::string& url,
                                              const PostgresConsentsOptions& options) {
    if (options.connections < 1) return Error::invalid_request("connections", "is less than 1");
    if (options.connect_timeout.count() <= 0) {
        return Error::invalid_request("connect_timeout", "is not positive");
    }
    if (options.statement_timeout.count() <= 0) {
        return Error::invalid_request("statement_timeout", "is not positive");
    }
    return parse_postgres_url(url);
}

PostgresStatement insert_of(std::span<const ConsentRecord> records) {
    PostgresArray persons{PostgresType::bytes};
    PostgresArray purposes{PostgresType::bytes};
    PostgresArray changes{PostgresType::number};
    PostgresArray times{PostgresType::number};
    PostgresArray sources{PostgresType::bytes};
    for (const auto& record : records) {
        persons.add(record.person);
        purposes.add(record.purpose);
        changes.add_number(static_cast<std::int64_t>(record.change));
        times.add_number(consent_micros(record.at));
        sources.add(record.source);
    }
    PostgresStatement statement{insert_consents};
    statement.values.array(persons).array(purposes).array(changes).array(times).array(sources);
    return statement;
}

PostgresStatement question_of(std::span<const ConsentQuestion> questions) {
    PostgresArray persons{PostgresType::bytes};
    PostgresArray purposes{PostgresType::bytes};
    PostgresArray granted{PostgresType::number};
    PostgresArray withdrawn{PostgresType::number};
    PostgresArray before{PostgresType::number};
    for (const auto& question : questions) {
        persons.add(question.person);
        purposes.add(question.purpose);
        granted.add_number(consent_micros(question.granted_since));
        withdrawn.add_number(consent_micros(question.withdrawn_since));
        before.add_number(consent_micros(question.before));
    }
    PostgresStatement statement{select_latest_consents};
    statement.values.array(persons).array(purposes).array(granted).array(withdrawn).array(before);
    return statement;
}

PostgresStatement about_consents(const char* sql, std::string_view person, TimePoint since,
                                 TimePoint before) {
    PostgresStatement statement{sql};
    statement.values.bytes(person).number(consent_micros(since)).number(consent_micros(before));
    return statement;
}

std::optional<TimePoint> consent_time_in(const PostgresRows& rows, std::size_t row, int column) {
    if (rows.is_null(row, column)) return std::nullopt;
    return consent_time(rows.number(row, column));
}

}  // namespace
}  // namespace detail

struct PostgresConsents::State {
    State(detail::PostgresTarget target, const PostgresConsentsOptions& options)
        : pool(std::move(target), detail::consent_connection_options(options),
               options.connections) {}

    Result<void> prepare(bool create) {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        const auto version = detail::schema_version(connection, detail::consent_migration());
        if (!version) return version.error();
        if (*version == 0 && create)
            return detail::migrate(connection, detail::consent_migration());
        return detail::check_schema(connection, detail::consent_migration());
    }

    template <class Work>
    auto transact(const Work& work) -> std::invoke_result_t<Work, detail::PostgresConnection&> {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        return detail::in_transaction(**lease, work);
    }

    detail::PostgresPool pool;
};

PostgresConsents::PostgresConsents(const std::string& url, PostgresConsentsOptions options)
    : state_(
          std::make_unique<State>(detail::checked_consent_target(url, options).value(), options)) {
    state_->prepare(options.create).value();
}

PostgresConsents::~PostgresConsents() = default;

Result<void> PostgresConsents::try_migrate(const std::string& url,
                                           const PostgresConsentsOptions& options) {
    auto target = detail::checked_consent_target(url, options);
    if (!target) return target.error();
    detail::PostgresConnection connection{std::move(target).value(),
                                          detail::consent_connection_options(options)};
    return detail::migrate(connection, detail::consent_migration());
}

void PostgresConsents::migrate(const std::string& url, const PostgresConsentsOptions& options) {
    try_migrate(url, options).value();
}

std::string PostgresConsents::migration_sql() {
    return detail::migration_sql(detail::consent_migration());
}

Result<std::size_t> PostgresConsents::add(std::span<const ConsentRecord> records) {
    if (auto checked = detail::check_consent_records(records); !checked) return checked.error();
    if (records.empty()) return std::size_t{0};
    const auto insert = detail::insert_of(detail::consents_in_order(records));
    return state_->transact([&](detail::PostgresConnection& connection) -> Result<std::size_t> {
        const auto inserted = connection.execute(insert);
        if (!inserted) return inserted.error();
        return inserted->changed();
    });
}

Result<std::vector<ConsentAnswer>> PostgresConsents::latest(
    std::span<const ConsentQuestion> questions) {
    if (auto checked = detail::check_consent_questions(questions); !checked) return checked.error();
    std::vector<ConsentAnswer> answers;
    auto lease = state_->pool.lend();
    if (!lease) return lease.error();
    while (!questions.empty()) {
        const auto some = questions.first(std::min<std::size_t>(questions.size(), 1000));
        const auto rows = (*lease)->execute(detail::question_of(some));
        if (!rows) return rows.error();
        for (std::size_t row = 0; row < rows->size(); ++row) {
            answers.push_back(
                {detail::consent_time_in(*rows, row, 0), detail::consent_time_in(*rows, row, 1)});
        }
        questions = questions.subspan(some.size());
    }
    return answers;
}

Result<std::vector<ConsentRecord>> PostgresConsents::history(std::string_view person) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    detail::PostgresStatement select{detail::select_consent_history};
    select.values.bytes(person);
    auto lease = state_->pool.lend();
    if (!lease) return lease.error();
    const auto rows = (*lease)->execute(select);
    if (!rows) return rows.error();
    std::vector<ConsentRecord> records;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        records.push_back({std::string(person), std::string(rows->bytes(row, 0)),
                           static_cast<ConsentChange>(rows->number(row, 1)),
                           detail::consent_time(rows->number(row, 2)),
                           std::string(rows->bytes(row, 3))});
    }
    return records;
}

Result<ForgottenConsents> PostgresConsents::forget(std::string_view person, TimePoint since,
                                                   TimePoint before) {
    if (auto checked = detail::check_consent_person(person); !checked) return checked.error();
    return state_->transact(
        [&](detail::PostgresConnection& connection) -> Result<ForgottenConsents> {
            const std::vector<detail::PostgresStatement> statements{
                detail::about_consents(detail::delete_consents, person, since, before),
                detail::about_consents(detail::blank_consents, person, since, before)};
            const auto done = connection.execute_all(statements);
            if (!done) return done.error();
            return ForgottenConsents{(*done)[0].changed(), (*done)[1].changed()};
        });
}

}  // namespace twiliowa
