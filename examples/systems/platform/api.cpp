#include "api.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <twiliowa/check_setup.hpp>
#include <twiliowa/types/error.hpp>

#include "support/jobs.hpp"
#include "support/members.hpp"

namespace platform {

namespace wa = twiliowa;
using namespace std::chrono_literals;
using Shown = support::Json;
using support::Answer;
using support::Call;
using support::refuse;

namespace {

Answer show_config(const ApiParts& api, const Call& call) {
    const auto now = api.tenants.configuration(call.owner);
    if (!now) return refuse(404, "config", "is not there");
    return {200,
            {{"provider", "twilio"},
             {"twilio_account_sid", now->account},
             {"twilio_phone_number", now->number},
             {"webhook_url", now->webhook_url},
             {"is_active", now->is_active},
             {"is_validated", now->is_proved},
             {"created_at", now->created_at},
             {"updated_at", now->updated_at}}};
}

Answer set_config(const ApiParts& api, const Call& call) {
    const auto body = call.object();
    const auto number = support::address_at(body, "twilio_phone_number").value().wire();
    // What follows # is for Twilio alone, and is not signed.
    const auto url = body.value("webhook_url", api.webhook_url);
    if (url.substr(0, url.find('#')) != api.webhook_url.substr(0, api.webhook_url.find('#'))) {
        return refuse(400, "webhook_url", "is not " + api.webhook_url);
    }
    api.tenants.configure(call.owner, wa::Credentials::from_json(call.body), number, url,
                          body.value("is_active", true));
    return show_config(api, call);
}

Answer validate(const ApiParts& api, const Call& call) {
    const auto now = api.tenants.configuration(call.owner);
    if (!now) return refuse(404, "config", "is not there");
    auto found = wa::check_setup(api.tenants.client(*now), now->webhook_url, {.timeout = 10s});
    const auto is_token_right = [](const wa::SetupFinding& each) {
        return each.subject == "credentials" && each.level == wa::SetupLevel::ok;
    };
    if (std::any_of(found.begin(), found.end(), is_token_right) && !api.tenants.prove(*now)) {
        found.push_back({wa::SetupLevel::wrong, "account", "another organisation has it",
                         "have it given up there"});
    }
    Answer answer{200, {{"valid", true}, {"findings", Shown::array()}}};
    for (const auto& each : found) {
        answer.body["findings"].push_back({{"level", to_string(each.level)},
                                           {"subject", each.subject},
                                           {"what", each.what},
                                           {"way_out", each.way_out}});
        // Whether Twilio can call is not about the connection.
        const bool is_wrong = each.level == wa::SetupLevel::wrong;
        if (is_wrong && each.subject != "callback_url") answer.body["valid"] = false;
    }
    return answer;
}

Answer send(const ApiParts& api, const Call& call) {
    const auto body = call.object();
    const auto to = support::address_at(body, "to").value().wire();
    const auto message = support::text_at(body, "message").value();
    const auto chatbot = support::text_at(body, "chatbot_id").value();
    const auto tenant = api.tenants.configuration(call.owner);
    if (!tenant || !tenant->is_proved) return refuse(409, "config", "is not validated");

    // Without a key of theirs, the same text to the same customer is the same request.
    const auto key = call.job_key("send", to + '\0' + chatbot + '\0' + message);
    const auto is_active = api.tenants.is_chatbot_active(call.owner, chatbot);
    if (!is_active) return refuse(404, "chatbot_id", "is not known");
    if (!*is_active && !api.messages.is_known(call.owner, key)) {
        return refuse(409, "chatbot_id", "is not active");
    }
    const auto taken = api.messages.send(*tenant, to, message, key);
    if (taken.refused_by) {
        return {402,
                {{"field", "quota"},
                 {"problem", "has not enough left"},
                 {"usage", Usage::view_of(*taken.refused_by)}}};
    }
    Answer answer{202, {{"messages", Shown::array()}, {"session", History::session_of(to)}}};
    for (const auto& each : taken.jobs) answer.body["messages"].push_back(each.str());
    return answer;
}

wa::Job find_job(const ApiParts& api, const Call& call) {
    return support::find_job(api.outbox, call.name,
                             [&](const wa::Job& job) { return job.tenant == call.owner; });
}

/// With what a person needs who looks for it at Twilio.
Shown view_of(const wa::Job& job) {
    auto view = support::view_of(job);
    if (job.message) {
        view["session"] = History::session_of(job.message->to);
        view["text"] = job.message->body;
    }
    return view;
}

Answer show_message(const ApiParts& api, const Call& call) {
    return {200, view_of(find_job(api, call))};
}

Answer show_session(const ApiParts& api, const Call& call) {
    Answer answer{200, {{"session", call.name}, {"history", Shown::array()}}};
    for (const auto& each : api.history.last(call.owner, call.name, 200)) {
        answer.body["history"].push_back(
            {{"role", each.role}, {"text", each.text}, {"at", each.at}});
    }
    return answer;
}

Answer show_usage(const ApiParts& api, const Call& call) {
    return {200, api.usage.report(call.owner)};
}

Answer show_attention(const ApiParts& api, const Call& call) {
    return {200, support::attention(api.outbox, {.tenant = call.owner}, view_of)};
}

/// A person says what became of one of those.
Answer decide(const ApiParts& api, const Call& call) {
    const auto job = find_job(api, call);
    const auto said = support::resolution_of(call.object());
    return {200, {{"changed", api.outbox.resolve(job.id, said)}}};
}

}  // namespace

support::Api make_api(const support::Log& log, const ApiParts& parts) {
    support::Api api{log, {.owner_of = [&parts](std::string_view token) {
                         return parts.tenants.organisation_of(token);
                     }}};
    using Ask = Answer (*)(const ApiParts&, const Call&);
    const auto on = [&](const char* method, const std::string& path, Ask ask) {
        api.on(method, "/api/whatsapp/" + path,
               [&parts, ask](const Call& call) { return ask(parts, call); });
    };
    on("POST", "config", set_config);
    on("GET", "config", show_config);
    on("GET", "validate", validate);
    on("POST", "send", send);
    on("GET", "messages/([^/]+)", show_message);
    on("GET", "sessions/([^/]+)", show_session);
    on("GET", "usage", show_usage);
    on("GET", "attention", show_attention);
    on("POST", "attention/([^/]+)", decide);
    return api;
}

}  // namespace platform
