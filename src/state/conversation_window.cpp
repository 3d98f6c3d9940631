#include <twiliowa/state/conversation_window.hpp>

#include <algorithm>
#include <utility>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr int outside_window_code = 63016;
constexpr std::string_view never = "-";

/// What a window's entry says: when the customer wrote last, and when it was last found closed.
struct WindowRecord {
    std::optional<TimePoint> inbound = {};
    std::optional<TimePoint> closed = {};

    /// Whether the customer wrote after it was found closed.
    bool opened() const noexcept { return inbound && (!closed || *inbound > *closed); }

    TimePoint until(std::chrono::milliseconds duration) const noexcept {
        if (!inbound) return closed.value_or(TimePoint{});
        const auto end = *inbound + duration;
        return opened() ? end : std::min(end, *closed);
    }
};

std::string window_text(const WindowRecord& record) {
    const auto text = [](const std::optional<TimePoint>& time) {
        return time ? nanoseconds_text(*time) : std::string(never);
    };
    return text(record.inbound) + ' ' + text(record.closed);
}

std::optional<WindowRecord> parse_window(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    WindowRecord record;
    const auto read = [](std::string_view word, std::optional<TimePoint>& time) {
        if (word == never) return true;
        time = parse_nanoseconds(word);
        return time.has_value();
    };
    if (!read(text.substr(0, space), record.inbound)) return std::nullopt;
    if (!read(text.substr(space + 1), record.closed)) return std::nullopt;
    return record;
}

Result<std::string> window_key(std::string_view scope, const Sender& sender,
                               const Address& customer) {
    return conversation_key("window", scope, sender, customer);
}

/// `change(WindowRecord&)` says whether it changed something.
template <class Change>
Result<void> change_window(Store& store, const ConversationWindowOptions& options,
                           const Sender& sender, const Address& customer, Change change) {
    const auto key = window_key(options.scope, sender, customer);
    if (!key) return key.error();
    const auto written = change_entry(
        store, *key, [&](const std::string* value) -> Result<std::optional<StoreWrite>> {
            WindowRecord record;
            if (value != nullptr) {
                const auto known = parse_window(*value);
                if (!known) return foreign_entry();
                record = *known;
            }
            if (!change(record)) return std::optional<StoreWrite>{};
            return std::optional<StoreWrite>{
                {window_text(record), options.duration + options.kept, Keep::evictable}};
        });
    if (!written) return written.error();
    return {};
}

}  // namespace
}  // namespace detail

ConversationWindow::ConversationWindow(std::shared_ptr<Store> store,
                                       ConversationWindowOptions options)
    : store_(detail::guarded_store(std::move(store))), options_(std::move(options)) {
    detail::require_duration("duration", options_.duration);
    detail::require_duration("kept", options_.kept);
    if (!options_.clock) options_.clock = system_clock();
}

Result<void> ConversationWindow::record_inbound(const Sender& sender, const Address& customer,
                                                std::optional<TimePoint> at) const {
    const auto time = detail::no_later_than_now(*options_.clock, at);
    return detail::change_window(
        *store_, options_, sender, customer, [time](detail::WindowRecord& record) {
            const bool reopens = record.closed == time;  // at the same time, the last word counts
            if (!reopens && record.inbound && *record.inbound >= time) return false;
            record.inbound = time;
            if (reopens) record.closed.reset();
            return true;
        });
}
Result<void> ConversationWindow::record_inbound(std::string_view sender, std::string_view customer,
                                                std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return record_inbound(ours, theirs, at);
    });
}

Result<void> ConversationWindow::close(const Sender& sender, const Address& customer,
                                       std::optional<TimePoint> at) const {
    const auto time = detail::no_later_than_now(*options_.clock, at);
    return detail::change_window(*store_, options_, sender, customer,
                                 [time](detail::WindowRecord& record) {
                                     if (record.closed && *record.closed >= time) return false;
                                     record.closed = time;
                                     return true;
                                 });
}
Result<void> ConversationWindow::close(std::string_view sender, std::string_view customer,
                                       std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return close(ours, theirs, at);
    });
}

Result<void> ConversationWindow::learn_error(const Sender& sender, const Address& customer,
                                             int code, std::optional<TimePoint> at) const {
    if (code != detail::outside_window_code) return {};
    return close(sender, customer, at);
}
Result<void> ConversationWindow::learn_error(std::string_view sender, std::string_view customer,
                                             int code, std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return learn_error(ours, theirs, code, at);
    });
}

Result<WindowState> ConversationWindow::state(const Sender& sender, const Address& customer,
                                              std::optional<TimePoint> at) const {
    const auto key = detail::window_key(options_.scope, sender, customer);
    if (!key) return key.error();
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    WindowState state;
    if (!*entry) return state;
    const auto record = detail::parse_window((*entry)->value);
    if (!record) return detail::foreign_entry();
    state.known = true;
    state.until = record->until(options_.duration);
    state.open = record->opened() && at.value_or(options_.clock->now()) < state.until;
    return state;
}
Result<WindowState> ConversationWindow::state(std::string_view sender, std::string_view customer,
                                              std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return state(ours, theirs, at);
    });
}

}  // namespace twiliowa
