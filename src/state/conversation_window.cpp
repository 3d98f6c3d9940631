#include <twiliowa/state/conversation_window.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "text/dates.hpp"
#include "text/json_text.hpp"
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

    friend bool operator==(const WindowRecord&, const WindowRecord&) = default;

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
        store, *key, [&](const std::string* value) -> Result<std::optional<EntryChange>> {
            WindowRecord record;
            if (value != nullptr) {
                const auto known = parse_window(*value);
                if (!known) return foreign_entry();
                record = *known;
            }
            if (!change(record)) return std::optional<EntryChange>{};
            return std::optional<EntryChange>{
                {window_text(record), options.duration + options.kept, Keep::evictable}};
        });
    if (!written) return written.error();
    return {};
}

/// What `linked` has a share in of what its address is known for.
WindowRecord window_share(const WindowRecord& record, const LinkedAddress& linked) {
    WindowRecord share;
    if (record.inbound && linked.held(*record.inbound)) share.inbound = record.inbound;
    if (record.closed && linked.held(*record.closed)) share.closed = record.closed;
    return share;
}

void join_windows(WindowRecord& all, const WindowRecord& record) {
    if (!all.inbound || record.inbound > all.inbound) all.inbound = record.inbound;
    if (!all.closed || record.closed > all.closed) all.closed = record.closed;
}

WindowState window_state_of(const WindowRecord& record, std::chrono::milliseconds duration,
                            TimePoint at) {
    WindowState state;
    if (!record.inbound && !record.closed) return state;
    state.known = true;
    state.until = record.until(duration);
    state.open = record.opened() && at < state.until;
    return state;
}

/// What a window keeps, found and erased for its customers.
class WindowPersonalData final : public PersonalData {
public:
    WindowPersonalData(std::shared_ptr<Store> store, std::string scope)
        : store_(std::move(store)), scope_(std::move(scope)) {}

    std::string_view name() const noexcept override { return "conversation_window"; }

    Result<Forgotten> forget(std::span<const CustomerConversation> of) const override {
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto key = window_key(scope_, sender, linked.address);
                if (!key) return key.error();
                const auto erased =
                    erase_entry(*store_, *key, [&](const std::string& value) -> Result<bool> {
                        const auto record = parse_window(value);
                        if (!record) return foreign_entry();
                        return !linked.until || window_share(*record, linked) == *record;
                    });
                if (!erased) return erased.error();
            }
        }
        return Forgotten{};
    }

    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        std::string json = "[";
        for (const auto& [sender, customer] : of) {
            for (const auto& linked : customer.addresses) {
                const auto key = window_key(scope_, sender, linked.address);
                if (!key) return key.error();
                const auto entry = store_->get(*key);
                if (!entry) return entry.error();
                if (!*entry) continue;
                const auto record = parse_window((*entry)->value);
                if (!record) return foreign_entry();
                const auto share = window_share(*record, linked);
                if (!share.inbound && !share.closed) continue;
                json += json.size() > 1 ? ",{" : "{";
                append_json_string(json.append(R"("sender":)"), sender.wire());
                append_json_string(json.append(R"(,"address":)"), linked.address.wire());
                if (share.inbound) append_time(json.append(R"(,"wrote":)"), *share.inbound);
                if (share.closed) append_time(json.append(R"(,"found_closed":)"), *share.closed);
                json += '}';
            }
        }
        return json + ']';
    }

private:
    static void append_time(std::string& json, TimePoint time) {
        append_json_string(json, format_iso8601_utc(time));
    }

    std::shared_ptr<Store> store_;
    std::string scope_;
};

}  // namespace
}  // namespace detail

ConversationWindow::ConversationWindow(std::shared_ptr<Store> store,
                                       ConversationWindowOptions options)
    : store_(detail::guarded_store(std::move(store))), options_(std::move(options)) {
    detail::require_duration("duration", options_.duration);
    detail::require_duration("kept", options_.kept);
    if (!options_.clock) options_.clock = system_clock();
    if (!options_.customers) return;
    detail::require_same_scope(*options_.customers, options_.scope);
    personal_data_ = std::make_shared<detail::WindowPersonalData>(store_, options_.scope);
    options_.customers->add_part(personal_data_);
}

Result<void> ConversationWindow::note(const Sender& sender, const Address& customer) const {
    if (!options_.customers) return {};
    return options_.customers->note(sender, customer, options_.duration + options_.kept);
}

Result<void> ConversationWindow::record_inbound(const Sender& sender, const Address& customer,
                                                std::optional<TimePoint> at) const {
    const auto time = detail::no_later_than_now(*options_.clock, at);
    if (auto noted = note(sender, customer); !noted) return noted;
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
    if (auto noted = note(sender, customer); !noted) return noted;
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
    if (options_.customers) {
        const auto linked = options_.customers->linked(sender, customer);
        if (!linked) return linked.error();
        return state(sender, *linked, at);
    }
    const auto entry = store_->get(*key);
    if (!entry) return entry.error();
    if (!*entry) return WindowState{};
    const auto record = detail::parse_window((*entry)->value);
    if (!record) return detail::foreign_entry();
    return detail::window_state_of(*record, options_.duration, at.value_or(options_.clock->now()));
}
Result<WindowState> ConversationWindow::state(const Sender& sender, const LinkedCustomer& customer,
                                              std::optional<TimePoint> at) const {
    std::vector<std::string> keys;
    for (const auto& linked : customer.addresses) {
        auto key = detail::window_key(options_.scope, sender, linked.address);
        if (!key) return key.error();
        keys.push_back(std::move(*key));
    }
    const auto entries = store_->get_each(keys);
    if (!entries) return entries.error();
    detail::WindowRecord all;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto& entry = (*entries)[i];
        if (!entry) continue;
        const auto record = detail::parse_window(entry->value);
        if (!record) return detail::foreign_entry();
        detail::join_windows(all, detail::window_share(*record, customer.addresses[i]));
    }
    return detail::window_state_of(all, options_.duration, at.value_or(options_.clock->now()));
}
Result<WindowState> ConversationWindow::state(std::string_view sender, std::string_view customer,
                                              std::optional<TimePoint> at) const {
    return detail::with_parties(sender, customer, [&](const Sender& ours, const Address& theirs) {
        return state(ours, theirs, at);
    });
}

}  // namespace twiliowa
