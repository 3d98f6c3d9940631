#include "outbox_view.hpp"

#include "moment.hpp"

namespace cli {

using twiliowa::JobState;
using twiliowa::OutboxCounts;
using twiliowa::Pause;

namespace {

constexpr int state_count = static_cast<int>(JobState::cancelled) + 1;

std::string place_of(Pause::Of of) {
    switch (of) {
        case Pause::Of::outbox:
            return "outbox";
        case Pause::Of::sender:
            return "sender";
        case Pause::Of::tenant:
            return "tenant";
        case Pause::Of::account:
            return "account";
    }
    return "outbox";
}

}  // namespace

nlohmann::ordered_json json_of_counts(const OutboxCounts& counts) {
    auto json = nlohmann::ordered_json::object();
    for (int i = 0; i < state_count; ++i) {
        const auto state = static_cast<JobState>(i);
        json[std::string{to_string(state)}] = counts.of(state);
    }
    return json;
}

std::string text_of_counts(const OutboxCounts& counts) {
    std::string text;
    for (int i = 0; i < state_count; ++i) {
        const auto state = static_cast<JobState>(i);
        if (counts.of(state) == 0) continue;
        text.append(text.empty() ? "" : ", ").append(std::to_string(counts.of(state)));
        text.append(" ").append(to_string(state));
    }
    return text.empty() ? "no job" : text;
}

nlohmann::ordered_json json_of_pause(const Pause& pause) {
    return {{"of", place_of(pause.of)},
            {"name", pause.name},
            {"reason", pause.reason},
            {"since", json_of(pause.since)}};
}

std::string text_of_pause(const Pause& pause) {
    return "paused: " + place_of(pause.of) +
           (pause.of == Pause::Of::outbox ? "" : " '" + pause.name + "'") + ", since " +
           text_of(pause.since) + (pause.reason.empty() ? "" : ": " + pause.reason);
}

}  // namespace cli
