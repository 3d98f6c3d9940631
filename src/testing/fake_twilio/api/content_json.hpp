/// @file
/// Templates and approvals as the Content API writes them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

using ContentJson = nlohmann::ordered_json;

std::string dump_content_json(const ContentJson& json);

/// An absolute URL of the Content API.
std::string content_url(const FakeCall& call, std::string_view path);

/// The template's types, never none.
ContentJson types_of(const testing::FakeContent& content);

ContentJson content_to_json(const FakeCall& call, const FakeTemplate& entry);
ContentJson approval_to_json(const FakeTemplate& entry);

}  // namespace twiliowa::testing::fake
