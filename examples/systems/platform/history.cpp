#include "history.hpp"

#include <algorithm>

namespace platform {

namespace {

constexpr const char* session_purpose = "platform.history.session";

std::string place_of_message(const std::string& organisation, const std::string& id) {
    return "platform.history.sealed_text/" + organisation + '/' + id;
}

}  // namespace

std::string History::session_of(std::string_view address) {
    std::string session{address};
    std::replace(session.begin(), session.end(), ':', '_');
    return session;
}

std::string History::hash_of(const std::string& session) const {
    return sealer_.blind_index(session, session_purpose).value();
}

std::vector<Said> History::last(const std::string& organisation, const std::string& session,
                                int most) const {
    // Each key of the ring has hashed some of it.
    std::string hashes;
    for (const auto& each : sealer_.blind_indexes(session, session_purpose).value()) {
        hashes += each + ' ';
    }
    std::vector<Said> all;
    for (const auto& row : database_.run(
             "select id, role, sealed_text, at from platform.history where organisation = $1 and "
             "session = any(string_to_array($2, ' ')) order by position desc limit $3",
             {organisation, hashes, std::to_string(most)})) {
        const auto text = sealer_.open(row[2], place_of_message(organisation, row[0])).value();
        all.push_back({row[1], text, row[3]});
    }
    std::reverse(all.begin(), all.end());
    return all;
}

void History::add(const std::string& organisation, const std::string& session,
                  const std::string& id, const Said& said, PGconn* within) const {
    database_.run(
        "insert into platform.history (organisation, id, session, role, sealed_text) "
        "values ($1, $2, $3, $4, $5) on conflict do nothing",
        {organisation, id, hash_of(session), said.role,
         sealer_.seal(said.text, place_of_message(organisation, id)).value()},
        within);
}

}  // namespace platform
