#include "sqlite/consent_file.hpp"

#include <algorithm>
#include <utility>

#include "sqlite/database_file.hpp"
#include "sqlite/row_values.hpp"
#include "state/consent_checks.hpp"

namespace twiliowa::detail {

namespace {

constexpr FileKind consent_file_kind{consent_application_id, consent_schema_version};

/// Change 0 is granted, 1 withdrawn; times are microseconds since 1970. Purposes are compared as
/// bytes.
constexpr const char* consent_tables = R"(
create table consent (
    person blob not null,
    purpose blob not null,
    change integer not null,
    at integer not null,
    source blob not null,
    primary key (person, purpose, change, at)
) strict, without rowid;
)";

constexpr const char* select_asked_consents =
    "select (select max(at) from consent as c where c.person = asked.person "
    "and c.purpose = asked.purpose and change = 0 and at >= granted_since and at < before), "
    "(select max(at) from consent as c where c.person = asked.person "
    "and c.purpose in (asked.purpose, x'') and change = 1 and at >= withdrawn_since "
    "and at < before) from asked order by n";

Result<void> make_consent_tables(SqliteConnection& file) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto state = file_state(file, consent_file_kind);
    if (!state) return state.error();
    if (*state != FileState::empty) return {};
    const auto header = header_sql(consent_file_kind);
    for (const auto* const sql : {consent_tables, header.c_str()}) {
        if (auto done = file.execute(sql); !done) return done.error();
    }
    return transaction.commit();
}

/// For so many questions: statements of few sizes, since each text is prepared once.
std::string latest_consents_sql(std::size_t size) {
    std::string sql =
        "with asked (n, person, purpose, granted_since, withdrawn_since, before) as (values ";
    for (std::size_t i = 0; i < size; ++i) sql += i == 0 ? "(?,?,?,?,?,?)" : ",(?,?,?,?,?,?)";
    return sql + ") " + select_asked_consents;
}

std::size_t statement_size(std::size_t questions) noexcept {
    for (const std::size_t size : {1U, 8U, 100U}) {
        if (questions <= size) return size;
    }
    return 1000;
}

Result<void> answer_consents(SqliteConnection& file, std::span<const ConsentQuestion> questions,
                             std::vector<ConsentAnswer>& answers) {
    const auto size = statement_size(questions.size());
    const auto wanted = answers.size() + questions.size();
    return each_row(
        file, latest_consents_sql(size),
        [&](ValueWriter& values) {
            for (std::size_t i = 0; i < size; ++i) {
                values.number(static_cast<std::int64_t>(i));
                if (i >= questions.size()) {
                    for (int column = 0; column < 5; ++column) values.null();
                    continue;
                }
                values.blob(questions[i].person);
                values.blob(questions[i].purpose);
                values.number(consent_micros(questions[i].granted_since));
                values.number(consent_micros(questions[i].withdrawn_since));
                values.number(consent_micros(questions[i].before));
            }
        },
        [&](ColumnReader& row) {
            if (answers.size() == wanted) return;
            ConsentAnswer answer;
            answer.granted = row.optional_time();
            answer.withdrawn = row.optional_time();
            answers.push_back(answer);
        });
}

/// `sql` about what is known of a person between two times; says how many rows it changed.
Result<std::size_t> change_consents(SqliteConnection& file, const std::string& sql,
                                    std::string_view person, TimePoint since, TimePoint before) {
    auto done = each_row(
        file, sql,
        [&](ValueWriter& values) {
            values.blob(person);
            values.number(consent_micros(since));
            values.number(consent_micros(before));
        },
        [](ColumnReader&) {});
    if (!done) return done.error();
    return static_cast<std::size_t>(file.changes());
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> open_consent_file(
    const std::string& path, std::chrono::milliseconds busy_timeout) {
    auto opened = open_database_file(path, busy_timeout, [](SqliteConnection& file) {
        return file_state(file, consent_file_kind);
    });
    if (!opened) return opened.error();
    if (opened->state == FileState::empty) {
        if (auto made = make_consent_tables(*opened->connection); !made) return made.error();
    }
    return std::move(opened->connection);
}

Result<std::size_t> add_consents(SqliteConnection& file, std::span<const ConsentRecord> records) {
    std::size_t added = 0;
    for (const auto& record : records) {
        auto done = each_row(
            file, "insert into consent values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
            [&](ValueWriter& values) {
                values.blob(record.person);
                values.blob(record.purpose);
                values.one_of(record.change);
                values.number(consent_micros(record.at));
                values.blob(record.source);
            },
            [](ColumnReader&) {});
        if (!done) return done.error();
        added += static_cast<std::size_t>(file.changes());
    }
    return added;
}

Result<std::vector<ConsentAnswer>> latest_consents(SqliteConnection& file,
                                                   std::span<const ConsentQuestion> questions) {
    std::vector<ConsentAnswer> answers;
    while (!questions.empty()) {
        const auto some = questions.first(std::min<std::size_t>(questions.size(), 1000));
        if (auto done = answer_consents(file, some, answers); !done) return done.error();
        questions = questions.subspan(some.size());
    }
    return answers;
}

Result<std::vector<ConsentRecord>> consent_history(SqliteConnection& file,
                                                   std::string_view person) {
    std::vector<ConsentRecord> records;
    auto done = each_row(
        file,
        "select purpose, change, at, source from consent where person = ?1 "
        "order by at, change, purpose",
        [&](ValueWriter& values) { values.blob(person); },
        [&](ColumnReader& row) {
            ConsentRecord record{.person = std::string(person), .purpose = row.text()};
            record.change = row.one_of<ConsentChange>();
            record.at = consent_time(row.number());
            record.source = row.text();
            records.push_back(std::move(record));
        });
    if (!done) return done.error();
    return records;
}

Result<ForgottenConsents> forget_consents(SqliteConnection& file, std::string_view person,
                                          TimePoint since, TimePoint before) {
    const auto erased = change_consents(
        file,
        "delete from consent where person = ?1 and at >= ?2 and at < ?3 and (purpose, change, at) "
        "not in (select purpose, 1, max(at) from consent where person = ?1 and at >= ?2 and at < "
        "?3 "
        "group by purpose)",
        person, since, before);
    if (!erased) return erased.error();
    const auto kept = change_consents(
        file, "update consent set source = x'' where person = ?1 and at >= ?2 and at < ?3", person,
        since, before);
    if (!kept) return kept.error();
    return ForgottenConsents{*erased, *kept};
}

}  // namespace twiliowa::detail
