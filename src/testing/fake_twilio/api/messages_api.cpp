#include "testing/fake_twilio/api/messages_api.hpp"

#include <cstddef>
#include <string>

#include "testing/fake_twilio/api/json.hpp"
#include "testing/fake_twilio/api/paging.hpp"
#include "testing/fake_twilio/messages/create.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"

namespace twiliowa::testing::fake {

namespace {

const std::string& sid_of(const FakeMessage& message) noexcept {
    return message.record.sid.str();
}
const std::string& sid_of(const Media& media) noexcept {
    return media.sid.str();
}

template <class T>
FakePageNeighbours neighbours_of(const FakeSlice<T>& slice) {
    FakePageNeighbours neighbours;
    if (slice.items.empty()) return neighbours;
    if (slice.has_older) neighbours.older_from = sid_of(*slice.items.back());
    if (slice.has_newer) neighbours.newer_from = sid_of(*slice.items.front());
    return neighbours;
}

/// Whether lists have a message yet, or at all.
bool is_listed(const FakeCall& call, const Message& record) {
    const auto& world = call.world;
    if (world.hides_scheduled && record.status == MessageStatus::scheduled) return false;
    return !record.date_created || call.moment.now >= *record.date_created + world.list_lag;
}

/// A page of those that match, by what the query asks for. `date_name` is the date to filter by.
template <class T, class Match, class ToJson>
HttpResponse list_page(const FakeCall& call, const FakeSequence<T>& all, const char* date_name,
                       Match match, ToJson to_json) {
    FakePageRequest request;
    FakeDateFilter date;
    auto problem = read_page_request(call.query, call.world.store, request);
    if (!problem) problem = FakeDateFilter::read(call.query, date_name, date);
    if (problem) return refusal(*problem);
    const auto slice = slice_sequence(all, request.position, request.page_size,
                                      [&](const T& item) { return match(item, date); });
    const auto frame = frame_page(call.path, filters_of(call.query), request, neighbours_of(slice));
    return json_response(200, to_json(slice.items, frame));
}

}  // namespace

HttpResponse serve_create_message(const FakeCall& call) {
    const FakeCreate create{call.form, call.world, call.account, call.moment};
    if (const auto problem = check_create(create)) return refusal(*problem);
    call.account.count_created(day_of(call.moment.now));
    const auto& message = call.world.store.add(build_message(create, call.world.ids));
    start_lifecycle(call.world, message, call.moment);
    return json_response(201, message_json(message.record));
}

HttpResponse serve_list_messages(const FakeCall& call) {
    const auto to = call.query.get("To");
    const auto from = call.query.get("From");
    const auto match = [&](const FakeMessage& message, const FakeDateFilter& date) {
        const auto& record = message.record;
        const auto& when = record.date_sent ? record.date_sent : record.date_created;
        return record.account_sid == call.account.sid && (to.empty() || record.to == to) &&
               (from.empty() || record.from == from) && (!when || date.accepts(*when)) &&
               is_listed(call, record);
    };
    return list_page(call, call.world.store.all(), "DateSent", match, message_page_json);
}

HttpResponse serve_fetch_message(const FakeCall& call) {
    const auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    return json_response(200, message_json(message->record));
}

HttpResponse serve_update_message(const FakeCall& call) {
    auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    const bool redact = call.form.has("Body");
    const bool cancel = call.form.has("Status");
    if (!redact && !cancel) return invalid_parameter("Nothing to change: give Body or Status");
    if (redact && !call.form.get("Body").empty()) {
        return invalid_parameter("Body can be emptied only, not changed");
    }
    auto& record = message->record;
    if (cancel) {
        if (call.form.get("Status") != MessageStatus::canceled) {
            return invalid_parameter("Status can become canceled only");
        }
        if (record.status != MessageStatus::scheduled && record.status != MessageStatus::canceled) {
            return refusal({400, 30409, "The message is past the point of being canceled", {}});
        }
        if (record.status == MessageStatus::scheduled) {
            move_message(call.world, *message, MessageStatus::canceled, 0, call.moment);
        }
    }
    if (redact) {
        record.body.clear();
        message->bubble.body.clear();
        for (auto& card : message->bubble.cards) card.body.clear();
    }
    ++call.world.revision;
    record.date_updated = call.moment.now;
    return json_response(200, message_json(record));
}

HttpResponse serve_delete_message(const FakeCall& call) {
    if (!call.world.store.remove(call.account.sid, call.route.message)) return not_found("message");
    return {204, {}, {}};
}

HttpResponse serve_post_feedback(const FakeCall& call) {
    auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    const auto outcome = call.form.get("Outcome");
    if (!outcome.empty() && outcome != "confirmed" && outcome != "unconfirmed") {
        return invalid_parameter("Outcome is neither confirmed nor unconfirmed");
    }
    message->feedback = outcome.empty() ? "confirmed" : outcome;
    return json_response(200, feedback_json(*message, call.moment.now));
}

HttpResponse serve_list_media(const FakeCall& call) {
    const auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    const auto match = [](const Media& medium, const FakeDateFilter& date) {
        return !medium.date_created || date.accepts(*medium.date_created);
    };
    return list_page(call, message->media, "DateCreated", match, media_page_json);
}

HttpResponse serve_fetch_media(const FakeCall& call) {
    const auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    for (const auto& [place, medium] : message->media) {
        if (medium.sid.str() == call.route.media) {
            return json_response(200, media_json(medium));
        }
    }
    return not_found("media");
}

HttpResponse serve_delete_media(const FakeCall& call) {
    auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    const auto erased = std::erase_if(message->media, [&](const auto& entry) {
        return entry.second.sid.str() == call.route.media;
    });
    return erased == 0 ? not_found("media") : HttpResponse{204, {}, {}};
}

HttpResponse serve_media_file(const FakeCall& call) {
    const auto* message = call.world.store.find(call.account.sid, call.route.message);
    if (message == nullptr) return not_found("message");
    std::size_t number = 0;
    for (const auto& [place, medium] : message->media) {
        const auto& sid = medium.sid.str();
        if (sid == call.route.media) {
            const auto file = message->files.find(sid);
            if (file != message->files.end()) {
                return {200, {{"Content-Type", medium.content_type}}, file->second};
            }
            // The fake fetches nothing: the original is where it was.
            if (number < message->media_urls.size()) {
                return {307, {{"Location", message->media_urls[number]}}, {}};
            }
        }
        ++number;
    }
    return not_found("media");
}

}  // namespace twiliowa::testing::fake
