#include "registrations.hpp"

#include <sqlite3.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/types/address.hpp>

namespace registration {

namespace wa = twiliowa;

namespace {

[[noreturn]] void fail(int code) {
    throw std::runtime_error("SQLite: " + std::string(sqlite3_errstr(code)));
}

sqlite3* open_database(const std::string& path) {
    sqlite3* database = nullptr;
    if (const int code = sqlite3_open(path.c_str(), &database)) {
        sqlite3_close(database);
        fail(code);
    }
    sqlite3_busy_timeout(database, 5'000);
    return database;
}

constexpr const char* columns = "select id, job, state, triggered, confirmed from registration ";

}  // namespace

Registrations::Registrations(const std::string& path, wa::Sealer sealer)
    : database_(open_database(path), sqlite3_close), sealer_(std::move(sealer)) {
    run(database_.get(), "pragma synchronous = full");
    run(database_.get(),
        "create table if not exists registration (id text primary key, parent text not null, "
        "job text not null, state text not null, triggered text not null, "
        "confirmed text not null default '') strict");
    run(database_.get(),
        "create index if not exists registration_open on registration (parent) "
        "where state = 'open'");
}

std::vector<Registrations::Row> Registrations::run(sqlite3* database, const char* sql,
                                                   const std::vector<std::string>& values) {
    sqlite3_stmt* made = nullptr;
    if (const int code = sqlite3_prepare_v2(database, sql, -1, &made, nullptr)) fail(code);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement{made, sqlite3_finalize};
    int index = 0;
    for (const auto& value : values) {
        sqlite3_bind_text(made, ++index, value.data(), static_cast<int>(value.size()),
                          SQLITE_STATIC);
    }
    std::vector<Row> rows;
    int code = sqlite3_step(made);
    for (; code == SQLITE_ROW; code = sqlite3_step(made)) {
        auto& row = rows.emplace_back();
        for (int i = 0; i < sqlite3_column_count(made); ++i) {
            const auto* const text = sqlite3_column_text(made, i);
            row.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
        }
    }
    if (code != SQLITE_DONE) fail(code);
    return rows;
}

std::string Registrations::seal(const Fields& fields, const std::string& place) const {
    return sealer_.seal(nlohmann::json(fields).dump(), "registration/" + place).value();
}

Fields Registrations::open(const std::string& sealed, const std::string& place) const {
    if (sealed.empty()) return {};
    const auto text = sealer_.open(sealed, "registration/" + place).value();
    return nlohmann::json::parse(text).get<Fields>();
}

std::string Registrations::hash(const std::string& value, const char* purpose) const {
    return sealer_.blind_index(value, "registration/" + std::string(purpose)).value();
}

Registration Registrations::read(const Row& row) const {
    return {row[0], row[1], row[2], open(row[3], "triggered/" + row[0]),
            open(row[4], "confirmed/" + row[0])};
}

wa::Result<wa::EnqueuedJob> Registrations::add(wa::Outbox& outbox, const Trigger& trigger,
                                               const wa::OutboundMessage& message,
                                               const wa::JobOptions& options) {
    const auto id = hash(trigger.parent_tel + '/' + trigger.fields.at("player_first_name") + '/' +
                             trigger.fields.at("current_registration_season"),
                         "id");
    const auto triggered = seal(trigger.fields, "triggered/" + id);
    const std::lock_guard lock{mutex_};
    run(database_.get(), "begin immediate");
    try {
        auto job = wa::try_enqueue_in(database_.get(), outbox, message, options);
        if (job && !job->existed) {
            run(database_.get(),
                "insert into registration (id, parent, job, state, triggered) "
                "values (?, ?, ?, 'open', ?) on conflict (id) do update set job = excluded.job, "
                "state = excluded.state, triggered = excluded.triggered",
                {id, hash(trigger.parent_tel, "parent"), job->id.str(), triggered});
        }
        run(database_.get(), "commit");
        return job;
    } catch (const std::exception&) {
        if (sqlite3_get_autocommit(database_.get()) == 0) run(database_.get(), "rollback");
        throw;
    }
}

std::optional<Registration> Registrations::next_open(std::string_view parent,
                                                     std::string_view but_for) {
    const auto address = wa::Address::parse(parent);
    if (!address) return std::nullopt;
    const auto number = std::string{address->phone_number()};
    const std::lock_guard lock{mutex_};
    // By an older key, too, as long as the ring has it.
    for (const auto& hashed : sealer_.blind_indexes(number, "registration/parent").value()) {
        const auto rows =
            run(database_.get(),
                (std::string{columns} + "where parent = ? and state = 'open' and id <> ? "
                                        "order by rowid limit 1")
                    .c_str(),
                {hashed, std::string{but_for}});
        if (!rows.empty()) return read(rows[0]);
    }
    return std::nullopt;
}

std::function<void(const wa::NativeTransaction&)> Registrations::confirmation(
    const std::string& id, const Fields& fields) const {
    return [id, sealed = seal(fields, "confirmed/" + id)](const wa::NativeTransaction& open) {
        run(open.sqlite, "update registration set state = 'confirmed', confirmed = ? where id = ?",
            {sealed, id});
    };
}

std::vector<Registration> Registrations::all() {
    const std::lock_guard lock{mutex_};
    std::vector<Registration> registrations;
    for (const auto& row :
         run(database_.get(), (std::string{columns} + "order by rowid").c_str())) {
        registrations.push_back(read(row));
    }
    return registrations;
}

}  // namespace registration
