/// @file
/// Creating a message in the fake: the rules, then the record.
#pragma once

#include <optional>
#include <string_view>

#include "testing/fake_twilio/world/problem.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// A request to create a message, and what it is judged by.
struct FakeCreate {
    const FakeParameters& parameters;
    const FakeWorld& world;
    const FakeAccount& account;
    FakeMoment moment;
};

/// The first rule that the request breaks.
FakeRefusal check_create(const FakeCreate& create);

/// The message of a request that breaks no rule.
FakeMessage build_message(const FakeCreate& create, FakeIds& ids);

/// SendAt of a message, if it has one that is a time.
std::optional<TimePoint> send_time(const FakeParameters& parameters);

/// The sender a messaging service would take for `to`: the first of its pool on the same channel.
/// Empty when there is none.
std::string_view pick_sender(const FakeAccount& account, std::string_view service_sid,
                             std::string_view to);

}  // namespace twiliowa::testing::fake
