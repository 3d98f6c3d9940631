#include "testing/fake_twilio/world/messages.hpp"

#include <utility>

#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

std::string message_path(const std::string& account_sid, const std::string& sid) {
    return "/2010-04-01/Accounts/" + account_sid + "/Messages/" + sid;
}

}  // namespace

void set_resource(Message& record) {
    record.price_unit = "USD";
    record.api_version = "2010-04-01";
    const auto base = message_path(record.account_sid, record.sid.str());
    record.uri = base + ".json";
    record.media_uri = base + "/Media.json";
    record.feedback_uri = base + "/Feedback.json";
}

std::string medium_uri(const Media& medium) {
    return message_path(medium.account_sid, medium.parent_sid) + "/Media/" + medium.sid.str() +
           ".json";
}

std::optional<TimePoint> send_time(const FakeParameters& parameters) {
    const auto text = parameters.get("SendAt");
    return text.empty() ? std::nullopt : detail::parse_iso8601(text);
}

std::uint64_t FakeMessageStore::take_place(const std::string& sid) {
    const std::uint64_t place = next_place_++;
    places_[sid] = place;
    return place;
}

FakeMessage& FakeMessageStore::add(FakeMessage message) {
    FakeSequence<Media> media;
    for (auto& [unused, medium] : message.media) {
        const auto place = take_place(medium.sid.str());
        media.emplace(place, std::move(medium));
    }
    message.media = std::move(media);
    const auto place = take_place(message.record.sid.str());
    return messages_.emplace(place, std::move(message)).first->second;
}

std::optional<std::uint64_t> FakeMessageStore::place_of(std::string_view sid) const {
    const auto found = places_.find(sid);
    if (found == places_.end()) return std::nullopt;
    return found->second;
}

const FakeMessage* FakeMessageStore::find(std::string_view sid) const {
    const auto place = place_of(sid);
    if (!place) return nullptr;
    const auto found = messages_.find(*place);
    return found == messages_.end() ? nullptr : &found->second;
}

FakeMessage* FakeMessageStore::find(std::string_view sid) {
    return const_cast<FakeMessage*>(std::as_const(*this).find(sid));
}

FakeMessage* FakeMessageStore::find(std::string_view account_sid, std::string_view sid) {
    auto* message = find(sid);
    return message != nullptr && message->record.account_sid == account_sid ? message : nullptr;
}

bool FakeMessageStore::remove(std::string_view account_sid, std::string_view sid) {
    if (find(account_sid, sid) == nullptr) return false;
    messages_.erase(*place_of(sid));
    return true;
}

void FakeMessageStore::restore(FakeSequence<FakeMessage> messages, std::uint64_t next_place) {
    messages_ = std::move(messages);
    next_place_ = next_place;
    places_.clear();
    for (const auto& [place, message] : messages_) {
        places_[message.record.sid.str()] = place;
        for (const auto& [media_place, medium] : message.media) {
            places_[medium.sid.str()] = media_place;
        }
    }
}

}  // namespace twiliowa::testing::fake
