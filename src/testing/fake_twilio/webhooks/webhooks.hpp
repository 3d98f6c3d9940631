/// @file
/// Webhooks on their way out: faults, tries, answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Sends a webhook as soon as the fake runs, or as its faults have it.
void queue_webhook(FakeWorld& world, FakeWebhookJob job, const FakeMoment& moment);

/// A webhook's time has come. Returns what to deliver, or nullopt when nothing is to be done;
/// follow with `finish_webhook`.
std::optional<testing::FakeWebhook> start_webhook(FakeWorld& world, const FakeEvent& event,
                                                  const FakeMoment& moment);

/// What came of the try of that number in the log; `id` is the event's subject. Returns the job
/// whose answer is to be obeyed, if one has come: follow with `conclude_webhook`.
std::optional<FakeWebhookJob> finish_webhook(FakeWorld& world, std::string_view id,
                                             std::uint64_t number,
                                             const Result<WebhookResponse>& answer,
                                             const FakeMoment& moment);

/// The webhook is over, with that error in Twilio's debugger (0: none): notes it, and asks the
/// fallback where there is one.
void conclude_webhook(FakeWorld& world, const FakeWebhookJob& job, std::uint64_t number, int code,
                      const FakeMoment& moment);

/// There is nobody to deliver it to.
void discard_webhook(FakeWorld& world, std::string_view id, std::uint64_t number);

/// Plans those that were on their way when the state was saved.
void resume_webhooks(FakeWorld& world, const FakeMoment& moment);

}  // namespace twiliowa::testing::fake
