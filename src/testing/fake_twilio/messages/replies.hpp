/// @file
/// What an answer to an inbound message makes Twilio do.
#pragma once

#include <twiliowa/webhook/webhook_request.hpp>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Sends the messages of the answer's TwiML and follows its redirect. Returns the error Twilio's
/// debugger would show, 0 when all is well.
int obey_answer(FakeWorld& world, const FakeWebhookJob& job, const WebhookResponse& answer,
                const FakeMoment& moment);

}  // namespace twiliowa::testing::fake
