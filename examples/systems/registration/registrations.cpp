#include "registrations.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/types/address.hpp>

namespace registration {

namespace wa = twiliowa;

namespace {

constexpr const char* columns = "select id, job, state, triggered, confirmed from registration ";

}  // namespace

Registrations::Registrations(const std::string& path, wa::Sealer sealer)
    : database_(path), sealer_(std::move(sealer)) {
    database_.run(
        "create table if not exists registration (id text primary key, parent text not null, "
        "job text not null, state text not null, triggered text not null, "
        "confirmed text not null default '') strict");
    database_.run(
        "create index if not exists registration_open on registration (parent) "
        "where state = 'open'");
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

Registration Registrations::read(const std::vector<std::string>& row) const {
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
    return database_.hand_over(
        outbox, message, options, [&](sqlite3* within, const wa::EnqueuedJob& job) {
            database_.run(
                "insert into registration (id, parent, job, state, triggered) "
                "values (?, ?, ?, 'open', ?) on conflict (id) do update set job = excluded.job, "
                "state = excluded.state, triggered = excluded.triggered",
                {id, hash(trigger.parent_tel, "parent"), job.id.str(), triggered}, within);
        });
}

std::optional<Registration> Registrations::next_open(std::string_view parent,
                                                     std::string_view but_for) {
    const auto address = wa::Address::parse(parent);
    if (!address) return std::nullopt;
    const auto number = std::string{address->phone_number()};
    // By an older key, too, as long as the ring has it.
    for (const auto& hashed : sealer_.blind_indexes(number, "registration/parent").value()) {
        const auto rows = database_.run(
            std::string{columns} +
                "where parent = ? and state = 'open' and id <> ? order by rowid limit 1",
            {hashed, std::string{but_for}});
        if (!rows.empty()) return read(rows[0]);
    }
    return std::nullopt;
}

std::function<void(const wa::NativeTransaction&)> Registrations::confirmation(
    const std::string& id, const Fields& fields) const {
    return [id, sealed = seal(fields, "confirmed/" + id)](const wa::NativeTransaction& open) {
        support::run_sql(open.sqlite,
                         "update registration set state = 'confirmed', confirmed = ? where id = ?",
                         {sealed, id});
    };
}

std::vector<Registration> Registrations::all() {
    std::vector<Registration> registrations;
    for (const auto& row : database_.run(std::string{columns} + "order by rowid")) {
        registrations.push_back(read(row));
    }
    return registrations;
}

}  // namespace registration
