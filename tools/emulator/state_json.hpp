/// @file
/// What the page shows, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/clock.hpp>

namespace emulator {

struct StateSource {
    const twiliowa::testing::FakeTwilio& fake;
    std::uint64_t revision;  ///< Read before anything else: what changes meanwhile is news again.
    twiliowa::TimePoint now;
    std::vector<std::string> accounts;  ///< The main one first.
    std::vector<std::string> senders;   ///< The one that is meant when none is named first.
    std::uint64_t fault_seed;
};

/// Has of the logs what is newer than these numbers, or still changing.
std::string state_json(const StateSource& from, std::uint64_t requests_after,
                       std::uint64_t webhooks_after);

}  // namespace emulator
