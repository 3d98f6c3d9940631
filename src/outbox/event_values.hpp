/// @file
/// What every engine goes by that keeps the events of an inbox.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Whose a key and a signature are; nullopt: nobody's.
struct EventOwners {
    std::optional<std::int64_t> key = {};
    std::optional<std::int64_t> signature = {};

    /// What becomes of an event that comes with them.
    TakenIn verdict() const noexcept {
        if (signature && signature != key) return TakenIn::recut;
        return key ? TakenIn::duplicate : TakenIn::taken;
    }
};

/// Whether others of its line wait for an event.
inline bool holds_line(InboxState state, bool out_of_order, std::string_view line) noexcept {
    return state <= InboxState::running && !out_of_order && !line.empty();
}

/// What a store_error says of a change of what another has changed since it was read, and its way
/// out.
inline constexpr std::string_view event_changed_meanwhile =
    "has an event that another changed meanwhile";
inline constexpr std::string_view read_event_again = "read it again";

inline Error key_is_anothers() {
    return Error::invalid_request("key", "is another event's", "give each event its own");
}

}  // namespace twiliowa::detail
