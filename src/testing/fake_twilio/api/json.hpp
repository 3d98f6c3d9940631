/// @file
/// What the fake says, as JSON: field for field Twilio's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/message.hpp>

#include "testing/fake_twilio/world/accounts.hpp"
#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/problem.hpp"

namespace twiliowa::testing::fake {

/// What surrounds the items of a page. Empty URIs become null.
struct FakePageFrame {
    std::uint64_t page = 0;
    std::uint64_t page_size = 0;
    std::string uri = {};
    std::string first_page_uri = {};
    std::string next_page_uri = {};
    std::string previous_page_uri = {};
};

std::string message_json(const Message& message);
std::string message_page_json(const std::vector<const FakeMessage*>& messages,
                              const FakePageFrame& frame);
std::string media_json(const Media& media);
std::string media_page_json(const std::vector<const Media*>& media, const FakePageFrame& frame);
std::string feedback_json(const FakeMessage& message, TimePoint now);
/// Without the token that the real API shows: logs keep answers.
std::string account_json(const FakeAccount& account);
std::string balance_json(const FakeAccount& account);
std::string problem_json(const FakeProblem& problem);

}  // namespace twiliowa::testing::fake
