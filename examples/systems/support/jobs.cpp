#include "jobs.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>

#include "members.hpp"

namespace support {

namespace wa = twiliowa;
using Shown = nlohmann::ordered_json;

namespace {

std::string with_advice(std::string reason, std::string_view advice) {
    return advice.empty() ? reason : reason.append("; ").append(advice);
}

}  // namespace

Shown view_of(const wa::Job& job) {
    Shown view{{"id", job.id.str()},
               {"state", to_string(job.state)},
               {"reason", to_string(job.reason)},
               {"problem", job.problem},
               {"sid", job.sid.str()},
               {"status", job.status.str()},
               {"code", job.error_code},
               {"advice", wa::advise(job.error_code).advice},
               {"may_be", Shown::array()}};
    for (const auto& sid : job.candidates) view["may_be"].push_back(sid.str());
    return view;
}

wa::Job find_job(wa::Outbox& outbox, const std::string& id,
                 const std::function<bool(const wa::Job&)>& is_theirs) {
    const auto known = wa::JobId::parse(id);
    auto job = known ? outbox.find(*known) : std::nullopt;
    if (!job || (is_theirs && !is_theirs(*job))) {
        wa::Error::invalid_request("job", "is not known").raise();
    }
    return *std::move(job);
}

Shown attention(wa::Outbox& outbox, wa::JobFilter filter,
                const std::function<Shown(const wa::Job&)>& shown_as) {
    Shown all;
    for (const auto state : {wa::JobState::held, wa::JobState::unknown, wa::JobState::dead}) {
        auto& listed = all[std::string{to_string(state)}] = Shown::array();
        filter.state = state;
        for (const auto& job : outbox.list(filter)) {
            if (auto view = shown_as(job); !view.is_null()) listed.push_back(std::move(view));
        }
    }
    return all;
}

wa::Resolution resolution_of(const nlohmann::json& body) {
    const auto decision = text_at(body, "decision").value();
    auto said = wa::Resolution::drop();
    if (decision == "sent") {
        said = wa::Resolution::sent(wa::MessageSid::parse(text_at(body, "sid").value()).value());
    } else if (decision == "not_sent") {
        said = wa::Resolution::not_sent();
    } else if (decision != "drop") {
        wa::Error::invalid_request("decision", "is no decision about it").raise();
    }
    return said.by(text_at(body, "by").value(), body.value("why", std::string{}));
}

bool has_failed(const wa::JobOutcome& outcome) {
    return outcome.outcome == wa::Outcome::dead || outcome.outcome == wa::Outcome::held ||
           outcome.outcome == wa::Outcome::undelivered;
}

std::string reason_of(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    std::string reason{to_string(outcome.outcome)};
    if (job.error_code != 0) reason += ' ' + std::to_string(job.error_code);
    if (!job.problem.empty()) reason += ": " + job.problem;
    return with_advice(std::move(reason), wa::advise(job.error_code).advice);
}

std::string reason_of(const wa::Error& error) {
    return with_advice(error.what(), error.advice().advice);
}

void log_sent(const Log& log, const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    if (outcome.outcome != wa::Outcome::accepted || !job.message) return;
    log.info("sent", {{"job", job.id.str()},
                      {"message_sid", job.sid.str()},
                      {"recipient", log.hash(job.message->to)},
                      {"tag", job.tag}});
}

std::string_view fate_of(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    const bool may_be_sent = std::any_of(
        job.attempts.begin(), job.attempts.end(),
        [](const wa::JobAttempt& each) { return each.state == wa::AttemptState::open; });
    const bool is_held = outcome.outcome == wa::Outcome::held;
    if (may_be_sent && (is_held || job.reason == wa::DeadReason::unknown)) {
        return "Nobody knows whether this reached the customer: look in Twilio's console, and "
               "decide by `twiliowa outbox resolve`.";
    }
    if (is_held) return "This waits for a person: `twiliowa outbox resolve`.";
    if (has_failed(outcome)) return "This did not reach the customer.";
    if (outcome.outcome == wa::Outcome::cancelled) return "This was not sent.";
    return outcome.outcome == wa::Outcome::doubled ? "This went twice." : "";
}

}  // namespace support
