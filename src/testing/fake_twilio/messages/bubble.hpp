/// @file
/// A message as the customer's phone draws it.
#pragma once

#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/messages/content.hpp"
#include "testing/fake_twilio/world/parameters.hpp"

namespace twiliowa::testing::fake {

/// A free-form message. WhatsApp takes one file; the others are dropped without a word.
testing::FakeBubble draw_message(const FakeParameters& parameters, bool whatsapp);

/// A template's richest type that the channel shows, filled in.
testing::FakeBubble draw_content(const testing::FakeContent& content,
                                 const FakeVariables& variables, bool whatsapp);

}  // namespace twiliowa::testing::fake
