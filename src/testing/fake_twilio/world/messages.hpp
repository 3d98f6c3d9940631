/// @file
/// The messages the fake keeps, and walking through them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/fake_types.hpp>
#include <twiliowa/types/message.hpp>

#include "testing/fake_twilio/world/parameters.hpp"

namespace twiliowa::testing::fake {

/// Things in the order they came to be; a larger number is newer.
template <class T>
using FakeSequence = std::map<std::uint64_t, T>;

/// Where a message will end, found when it leaves the queue.
struct FakeFate {
    std::string status = {};  ///< `delivered`, `read`, `sent`, `failed`, ...; empty: not decided.
    int code = 0;
    bool skips_delivered = false;
};

/// A message with what the API does not show.
struct FakeMessage {
    Message record = {};
    FakeSequence<Media> media = {};
    FakeParameters parameters = {};  ///< As it was created.
    std::string feedback = {};
    FakeFate fate = {};
    std::optional<TimePoint> queued = {};  ///< When it entered the queue, if that was later.
    bool price_decided = false;            ///< It has one, will have one, or never will.
    std::map<std::string, std::string> files = {};  ///< Bytes by media SID; what customers sent.
    std::vector<std::string> media_urls = {};       ///< Where Twilio would have fetched the media.
    testing::FakeBubble bubble = {};
};

/// What all records have alike, and where the API keeps this one.
void set_resource(Message& record);
/// Below the message it belongs to.
std::string medium_uri(const Media& medium);

/// SendAt of a message, if it has one that is a time.
std::optional<TimePoint> send_time(const FakeParameters& parameters);

/// Every message of every account. SIDs keep their place in the sequence after deletion, so that a
/// page token stays good.
class FakeMessageStore {
public:
    /// Gives the message, and its media, their places.
    FakeMessage& add(FakeMessage message);
    /// The message, if it is that account's.
    FakeMessage* find(std::string_view account_sid, std::string_view sid);
    FakeMessage* find(std::string_view sid);
    const FakeMessage* find(std::string_view sid) const;
    bool remove(std::string_view account_sid, std::string_view sid);
    const FakeSequence<FakeMessage>& all() const noexcept { return messages_; }
    FakeSequence<FakeMessage>& all() noexcept { return messages_; }
    std::uint64_t next_place() const noexcept { return next_place_; }
    /// Puts everything back where it was.
    void restore(FakeSequence<FakeMessage> messages, std::uint64_t next_place);
    /// The place of a message or a medium, deleted or not.
    std::optional<std::uint64_t> place_of(std::string_view sid) const;

private:
    std::uint64_t take_place(const std::string& sid);

    FakeSequence<FakeMessage> messages_;
    std::map<std::string, std::uint64_t, std::less<>> places_;
    std::uint64_t next_place_ = 1;
};

/// Where a page begins. Newest first: "older" is further down the list.
struct FakePosition {
    enum class Kind { skip, older_than, newer_than };
    Kind kind = Kind::skip;
    std::uint64_t value = 0;  ///< How many to skip, or the place.
};

/// Part of a list.
template <class T>
struct FakeSlice {
    std::vector<const T*> items = {};
    bool has_older = false;
    bool has_newer = false;
};

/// At most `size` of those that match, newest first. New arrivals do not move what is older.
template <class T, class Match>
FakeSlice<T> slice_sequence(const FakeSequence<T>& all, const FakePosition& position,
                            std::size_t size, Match match) {
    FakeSlice<T> slice;
    // Takes from `it` on; says whether there was more.
    const auto take = [&](auto it, auto end) {
        for (; it != end; ++it) {
            if (!match(it->second)) continue;
            if (slice.items.size() == size) return true;
            slice.items.push_back(&it->second);
        }
        return false;
    };
    const auto any = [&](auto it, auto end) {
        return std::any_of(it, end, [&](const auto& entry) { return match(entry.second); });
    };
    switch (position.kind) {
        case FakePosition::Kind::skip: {
            auto it = all.rbegin();
            for (auto left = position.value; left > 0 && it != all.rend(); ++it) {
                if (match(it->second)) --left;
            }
            slice.has_newer = any(all.rbegin(), it);
            slice.has_older = take(it, all.rend());
            break;
        }
        case FakePosition::Kind::older_than: {
            const auto anchor = all.lower_bound(position.value);
            slice.has_newer = any(anchor, all.end());
            slice.has_older = take(std::make_reverse_iterator(anchor), all.rend());
            break;
        }
        case FakePosition::Kind::newer_than: {
            const auto next = all.upper_bound(position.value);
            slice.has_older = any(std::make_reverse_iterator(next), all.rend());
            slice.has_newer = take(next, all.end());
            std::reverse(slice.items.begin(), slice.items.end());
            break;
        }
    }
    return slice;
}

}  // namespace twiliowa::testing::fake
