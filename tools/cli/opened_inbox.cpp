#include "opened_inbox.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/sid.hpp>

#include "opened_outbox.hpp"

namespace cli {

using twiliowa::DurableInbox;
using twiliowa::InboxEvent;
using twiliowa::InboxOptions;
using twiliowa::InboxState;

namespace {

/// A message has one event, or one for each of its statuses.
constexpr std::size_t most_events_of_message = 1'000;

std::optional<std::int64_t> number_of(const std::string& text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

}  // namespace

std::unique_ptr<DurableInbox> inbox_in(std::shared_ptr<twiliowa::OutboxStorage> storage,
                                       InboxOptions options) {
    options.sealer = sealer_of_environment();
    try {
        return std::make_unique<DurableInbox>(std::move(storage), std::move(options));
    } catch (const twiliowa::InvalidRequestError& refused) {
        if (refused.error().field() != "storage") throw;
        return nullptr;
    }
}

std::unique_ptr<DurableInbox> open_inbox(const StorePlace& place, InboxOptions options) {
    auto inbox = inbox_in(open_outbox_storage(place, IfMissing::refuse), std::move(options));
    if (inbox) return inbox;
    twiliowa::Error::invalid_request(
        place.field, "names a store that keeps no events of an inbox",
        "twiliowa outbox migrate brings tables of an earlier version up to date")
        .raise();
}

std::vector<InboxEvent> find_events(DurableInbox& inbox, const std::string& name) {
    if (const auto sid = twiliowa::MessageSid::parse(name)) {
        return inbox.list({.message_sid = sid->str(), .limit = most_events_of_message});
    }
    const auto number = number_of(name);
    if (!number) return {};
    auto event = inbox.find(*number);
    if (!event) return {};
    std::vector<InboxEvent> events;
    events.push_back(std::move(*event));
    return events;
}

std::string inbox_state_names() {
    std::string names;
    for (int i = 0; i <= static_cast<int>(InboxState::dropped); ++i) {
        names.append(names.empty() ? "" : "|").append(to_string(static_cast<InboxState>(i)));
    }
    return names;
}

}  // namespace cli
