/// @file
/// What will happen in the fake by itself, as data, so that it can be saved.
#pragma once

#include <string>

#include "testing/timed_queue.hpp"

namespace twiliowa::testing::fake {

struct FakeEvent {
    enum class Kind {
        step,      ///< A message leaves the status `expected`; `subject` is its SID.
        webhook,   ///< A webhook goes out; `subject` is its job.
        release,   ///< A webhook that was held back goes out at last; `subject` is its job.
        approval,  ///< A template's approval leaves `expected`; `subject` is its SID.
        price,     ///< A message gets its price; `subject` is its SID.
    };
    Kind kind = Kind::step;
    std::string subject = {};
    std::string expected = {};
};

using FakeEventQueue = shared::TimedQueue<FakeEvent>;

}  // namespace twiliowa::testing::fake
