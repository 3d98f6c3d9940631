/// @file
/// What the fake says, as JSON: field for field Twilio's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/message.hpp>

#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/problem.hpp"

namespace twiliowa::detail {

/// What surrounds the items of a page. Empty URIs become null.
struct FakePageFrame {
    std::uint64_t page = 0;
    std::uint64_t page_size = 0;
    std::string uri = {};
    std::string first_page_uri = {};
    std::string next_page_uri = {};
    std::string previous_page_uri = {};
};

std::string fake_message_json(const Message& message);
std::string fake_message_page_json(const std::vector<const FakeMessage*>& messages,
                                   const FakePageFrame& frame);
std::string fake_media_json(const Media& media);
std::string fake_media_page_json(const std::vector<const Media*>& media,
                                 const FakePageFrame& frame);
std::string fake_feedback_json(const FakeMessage& message, TimePoint now);
std::string fake_problem_json(const FakeProblem& problem);

}  // namespace twiliowa::detail
