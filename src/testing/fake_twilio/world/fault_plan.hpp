/// @file
/// What goes wrong from now on, with requests and with webhooks.
#pragma once

#include <deque>
#include <map>

#include <twiliowa/testing/fake_types.hpp>

namespace twiliowa::testing::fake {

struct FakeFaults {
    std::deque<Fault> next = {};  ///< Of the next requests, in order.
    std::map<Fault, double> rates = {};
    WebhookFaults webhooks = {};
};

}  // namespace twiliowa::testing::fake
