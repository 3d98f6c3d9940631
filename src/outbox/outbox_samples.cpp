#include <array>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>

namespace twiliowa {

namespace detail {
namespace {

constexpr std::array sampled_states{JobState::ready,     JobState::claimed,     JobState::sending,
                                    JobState::unknown,   JobState::held,        JobState::accepted,
                                    JobState::delivered, JobState::undelivered, JobState::dead,
                                    JobState::cancelled};

constexpr std::array<std::pair<Pause::Of, const char*>, 4> sampled_pauses{
    {{Pause::Of::outbox, "outbox"},
     {Pause::Of::account, "account"},
     {Pause::Of::sender, "sender"},
     {Pause::Of::tenant, "tenant"}}};

constexpr std::array sampled_events{InboxState::waiting, InboxState::running, InboxState::dead};

}  // namespace
}  // namespace detail

void add_samples(MetricSamples& samples, Outbox& outbox) {
    const auto oldest = outbox.oldest_due();
    const auto counts = outbox.counts();
    for (const auto state : detail::sampled_states) {
        samples.gauge("twiliowa_outbox_jobs", "Jobs, by state.",
                      static_cast<double>(counts.of(state)),
                      {{"state", std::string{to_string(state)}}});
    }
    const auto waited = oldest ? counts.now - *oldest : TimePoint::duration{};
    samples.gauge("twiliowa_outbox_oldest_ready_seconds", "How long the oldest job has been due.",
                  std::chrono::duration<double>(waited).count());
    std::map<Pause::Of, int> paused;
    for (const auto& pause : outbox.try_pauses().value()) ++paused[pause.of];
    for (const auto& [of, name] : detail::sampled_pauses) {
        samples.gauge("twiliowa_outbox_pauses", "What somebody has paused.", paused[of],
                      {{"of", name}});
    }
}

void add_samples(MetricSamples& samples, DurableInbox& inbox) {
    const auto counts = inbox.counts();
    for (const auto state : detail::sampled_events) {
        samples.gauge("twiliowa_inbox_events", "Events, by state.",
                      static_cast<double>(counts.of(state)),
                      {{"state", std::string{to_string(state)}}});
    }
    const auto waited =
        counts.oldest_waiting ? counts.now - *counts.oldest_waiting : TimePoint::duration{};
    samples.gauge("twiliowa_inbox_oldest_waiting_seconds", "How long the oldest event waits.",
                  std::chrono::duration<double>(waited).count());
}

}  // namespace twiliowa
