/// @file
/// Creating a message in the fake: the rules, then the record.
#pragma once

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

}  // namespace twiliowa::testing::fake
