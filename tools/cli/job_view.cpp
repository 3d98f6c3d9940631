#include "job_view.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "layout.hpp"
#include "moment.hpp"
#include "outbox/message_json.hpp"

namespace cli {

namespace {

using twiliowa::Job;
using twiliowa::JobAttempt;
using Json = nlohmann::ordered_json;

std::string text(std::string_view words) {
    return std::string{words};
}

std::string recipient_of(const Job& job, Numbers numbers) {
    return job.message ? address_shown(job.message->to, numbers) : std::string{};
}

/// Our own: the sender of a message says nothing about a customer.
std::string sender_of(const Job& job) {
    if (!job.message) return {};
    const auto& message = *job.message;
    return message.from.empty() ? message.messaging_service_sid : message.from;
}

/// A program's text that often names whom something is for.
std::string order_key_of(const Job& job, Numbers numbers) {
    return text_shown(job.order_key, numbers);
}

template <class Sids>
Json json_of_sids(const Sids& sids) {
    auto list = Json::array();
    for (const auto& sid : sids) list.push_back(sid.str());
    return list;
}

Json json_of_attempt(const JobAttempt& attempt) {
    return {{"number", attempt.number},
            {"state", to_string(attempt.state)},
            {"started_at", json_of(attempt.started_at)},
            {"account_sid", attempt.account_sid},
            {"sid", attempt.sid.str()},
            {"evidence", to_string(attempt.evidence)},
            {"http_status", attempt.http_status},
            {"error_code", attempt.error_code},
            {"problem", attempt.problem},
            {"may_duplicate", attempt.may_duplicate}};
}

Json json_of_decision(const std::optional<twiliowa::JobDecision>& decision) {
    if (!decision) return nullptr;
    return {{"by", decision->by}, {"why", decision->why}, {"at", json_of(decision->at)}};
}

std::string words_of_decision(const std::optional<twiliowa::JobDecision>& decision) {
    if (!decision) return {};
    auto words = text_of(decision->at);
    if (!decision->by.empty()) words += " by " + decision->by;
    if (!decision->why.empty()) words += ": " + decision->why;
    return words;
}

/// What a message is made of, without a word of it.
std::string kind_of(const Job& job) {
    if (!job.message) return "erased";
    const auto& message = *job.message;
    if (!message.content_sid.empty()) return "template " + message.content_sid;
    if (!message.media_url.empty()) return "media";
    return "text of " + std::to_string(message.body.size()) + " bytes";
}

std::string code_of(int code) {
    return code == 0 ? "" : std::to_string(code);
}

std::string words_of_sids(const std::vector<twiliowa::MessageSid>& sids) {
    std::string words;
    for (const auto& sid : sids) words.append(words.empty() ? "" : " ").append(sid.str());
    return words;
}

/// Masks each text that a person may have written; names and SIDs tell of nobody.
void mask_texts(Json& json) {
    if (json.is_string()) {
        json = with_numbers_masked(json.get_ref<const std::string&>());
    } else if (json.is_structured()) {
        for (auto& each : json) mask_texts(each);
    }
}

}  // namespace

std::string state_of_job(const Job& job) {
    auto state = text(to_string(job.state));
    if (job.reason != twiliowa::DeadReason::none) state.append(": ").append(to_string(job.reason));
    return state;
}

Json summary_of_job(const Job& job, Numbers numbers) {
    return {{"key", job.key},
            {"id", job.id.str()},
            {"tenant", job.tenant},
            {"tag", job.tag},
            {"account", job.account},
            {"state", to_string(job.state)},
            {"reason", job.reason == twiliowa::DeadReason::none ? "" : to_string(job.reason)},
            {"sid", job.sid.str()},
            {"status", job.status.str()},
            {"attempts", job.attempts.size()},
            {"error_code", job.error_code},
            {"problem", job.problem},
            {"to", recipient_of(job, numbers)},
            {"updated_at", json_of(job.updated_at)}};
}

Json json_of_job(const Job& job, Numbers numbers) {
    auto json = summary_of_job(job, numbers);
    json.update({{"from", sender_of(job)},
                 {"evidence", to_string(job.evidence)},
                 {"price", job.price},
                 {"price_unit", job.price_unit},
                 {"lane", to_string(job.lane)},
                 {"order_key", order_key_of(job, numbers)},
                 {"on_unknown", job.on_unknown.str()},
                 {"quota", job.quota},
                 {"cost", job.quota.empty() ? "" : job.cost.text()},
                 {"step", job.step},
                 {"fallbacks", job.fallbacks.size()},
                 {"created_at", json_of(job.created_at)},
                 {"not_before", json_of(job.not_before)},
                 {"expires_at", json_of(job.expires_at)},
                 {"next_look", json_of(job.next_look)},
                 {"suspect", job.suspect},
                 {"cancel_requested", job.cancel_requested},
                 {"decision", json_of_decision(job.decision)},
                 {"doubles", json_of_sids(job.doubles)},
                 {"candidates", json_of_sids(job.candidates)}});
    auto history = Json::array();
    for (const auto& attempt : job.attempts) history.push_back(json_of_attempt(attempt));
    json["history"] = std::move(history);
    return json;
}

std::string text_of_job(const Job& job, Numbers numbers) {
    auto text = facts({{"key", job.key},
                       {"id", job.id.str()},
                       {"tenant", job.tenant},
                       {"tag", job.tag},
                       {"account", job.account},
                       {"state", state_of_job(job)},
                       {"problem", job.problem},
                       {"code", code_of(job.error_code)},
                       {"sid", job.sid.str()},
                       {"known by", job.sid.empty() ? "" : std::string{to_string(job.evidence)}},
                       {"status", job.status.str()},
                       {"price", job.price.empty() ? "" : job.price + " " + job.price_unit},
                       {"sent too", words_of_sids(job.doubles)},
                       {"may be", words_of_sids(job.candidates)},
                       {"decided", words_of_decision(job.decision)},
                       {"suspect", job.suspect ? "yes: it is looked for before it is sent" : ""},
                       {"to", recipient_of(job, numbers)},
                       {"from", sender_of(job)},
                       {"message", kind_of(job)},
                       {"lane", std::string{to_string(job.lane)}},
                       {"order key", order_key_of(job, numbers)},
                       {"quota", job.quota.empty() ? "" : job.quota + ": " + job.cost.text()},
                       {"if unknown", job.on_unknown.str()},
                       {"created", text_of(job.created_at)},
                       {"updated", text_of(job.updated_at)},
                       {"not before", text_of(job.not_before)},
                       {"expires", text_of(job.expires_at)},
                       {"next look", text_of(job.next_look)},
                       {"cancelled", job.cancel_requested ? "it is not sent again" : ""}});
    std::vector<std::vector<std::string>> rows;
    for (const auto& attempt : job.attempts) {
        rows.push_back({std::to_string(attempt.number), text_of(attempt.started_at),
                        std::string{to_string(attempt.state)}, attempt.sid.str(),
                        code_of(attempt.http_status), code_of(attempt.error_code),
                        attempt.problem});
    }
    if (!rows.empty()) text += '\n';
    return text + table({"ATTEMPT", "STARTED", "STATE", "SID", "HTTP", "CODE", "PROBLEM"}, rows);
}

Json message_of_job(const Job& job, Numbers numbers) {
    if (!job.message) return nullptr;
    const auto written = twiliowa::detail::write_message_json(*job.message).value();
    auto json = Json::parse(written);
    if (numbers == Numbers::whole) return json;
    for (auto& [name, value] : json.items()) {
        const bool is_ours = name == "from" || name.ends_with("_sid") || name == "status_callback";
        if (name == "to") {
            value = masked(value.get<std::string>());
        } else if (!is_ours) {
            mask_texts(value);
        }
    }
    return json;
}

}  // namespace cli
