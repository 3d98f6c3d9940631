#include <twiliowa/outbox/inbox_storage.hpp>

#include <array>

namespace twiliowa {

namespace detail {
namespace {

constexpr std::array inbox_states{InboxState::waiting, InboxState::running, InboxState::done,
                                  InboxState::dead, InboxState::dropped};

}  // namespace
}  // namespace detail

std::string_view to_string(InboxState state) noexcept {
    switch (state) {
        case InboxState::waiting:
            return "waiting";
        case InboxState::running:
            return "running";
        case InboxState::done:
            return "done";
        case InboxState::dead:
            return "dead";
        case InboxState::dropped:
            return "dropped";
    }
    return "unknown";
}

std::optional<InboxState> parse_inbox_state(std::string_view name) noexcept {
    for (const auto state : detail::inbox_states) {
        if (to_string(state) == name) return state;
    }
    return std::nullopt;
}

}  // namespace twiliowa
