/// @file
/// Which number was seen with which user ids, and what follows from it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// How many addresses a customer is read under, and how many sightings an entry holds.
inline constexpr std::size_t most_linked_addresses = 8;

/// What one webhook named together, and when it was first so named: `+447700900123`, `GB.4f1a`,
/// `GB.ENT.4f1a`. Empty: not named.
struct Sighting {
    std::string number = {};
    std::string id = {};
    std::string parent = {};
    TimePoint first = {};

    friend bool operator==(const Sighting&, const Sighting&) = default;
    bool mentions(std::string_view identity) const noexcept {
        return number == identity || id == identity || parent == identity;
    }
};

/// What is stored of an address: sightings, which only become more, and only earlier.
struct LinkRecord {
    TimePoint written = {};                ///< So that what is used does not expire.
    std::optional<TimePoint> floor = {};   ///< What was before is forgotten: there were too many.
    bool pinned = false;                   ///< An opt-out depends on it.
    std::vector<Sighting> sightings = {};  ///< Oldest first.
};

std::string link_text(const LinkRecord& record);
std::optional<LinkRecord> parse_links(std::string_view text);

/// A user id of linked portfolios: `GB.ENT.4f1a`.
bool is_parent_id(std::string_view identity) noexcept;

/// Adds what is not known yet. The result does not depend on the order.
void add_sighting(LinkRecord& record, const Sighting& sighting);
/// Whether adding it would change nothing.
bool is_known(const LinkRecord& record, const Sighting& sighting);

/// An identity, and in which time it was the customer's.
struct Tenure {
    std::string identity = {};
    std::optional<TimePoint> from = {};
    std::optional<TimePoint> until = {};

    friend bool operator==(const Tenure&, const Tenure&) = default;
};

/// Who is behind an identity: all that is theirs, the identity itself first.
struct LinkedIdentities {
    std::vector<Tenure> theirs = {};
    /// For a number: an id of each one who had it before.
    std::vector<Tenure> former = {};
};
LinkedIdentities linked_identities(const LinkRecord& record, std::string_view identity);

/// How often the number has gone to another.
std::size_t hands_changed(const LinkRecord& record, std::string_view number);

/// Those sightings of `all` that say something about `identity`.
std::vector<Sighting> sightings_about(const LinkRecord& all, std::string_view identity);

}  // namespace twiliowa::detail
