#include "messages.hpp"

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/split_text.hpp>

namespace platform {

namespace wa = twiliowa;

namespace {

constexpr std::size_t most_parts = 10;

/// What was said before, that the chatbot is given.
constexpr int remembered = 20;

/// Of the first of a request's messages, under which the request is charged.
std::string first_of(const std::string& key) {
    return key + "/1";
}

/// The tag of what organisations send: what the request costs, on the first of its messages.
constexpr std::string_view tokens_tag = "tokens=";

}  // namespace

/// Those of one session go in their order.
wa::JobOptions Messages::job_of(const Configuration& tenant, const std::string& session) const {
    return {.tenant = tenant.organisation,
            .account = tenant.account_name(),
            .order_key = history.hash_of(session),
            .quota = tenant.organisation};
}

TakenIn Messages::send(const Configuration& tenant, const std::string& to, const std::string& text,
                       const std::string& key) const {
    const auto parts = wa::split_text(text);
    if (parts.empty() || parts.size() > most_parts) {
        wa::Error::invalid_request("message", parts.empty() ? "is empty" : "is too long").raise();
    }
    const auto tokens = tokens_of(text);
    std::vector<wa::NewJob> jobs;
    for (const auto& part : parts) {
        auto options = job_of(tenant, History::session_of(to));
        options.key = key + '/' + std::to_string(jobs.size() + 1);
        options.tag = std::string{tokens_tag} + std::to_string(jobs.empty() ? tokens : 0);
        jobs.push_back({wa::OutboundText{.to = to, .body = part, .from = tenant.number}, options});
    }
    const auto charge = first_of(key);
    const bool is_new = !is_known(tenant.organisation, key);
    if (is_new) {
        const auto answer = usage.reserve(tenant.organisation, charge, tokens);
        if (!answer.granted) return {.refused_by = *answer.refused_by()};
    }
    TakenIn taken;
    for (const auto& job : outbox.enqueue_all(jobs)) {
        // What is in under that key was asked for at the same time, and is what was reserved for.
        const bool nothing_is = !job && taken.jobs.empty() && job.error().field() != "key";
        if (is_new && nothing_is) usage.release(tenant.organisation, charge);
        taken.jobs.push_back(job.value().id);
    }
    return taken;
}

bool Messages::is_known(const std::string& organisation, const std::string& key) const {
    return outbox.find(organisation, first_of(key)).has_value();
}

void Messages::on_outcome(const wa::JobOutcome& outcome) const {
    const auto& job = outcome.job;
    const auto session = job.message ? History::session_of(job.message->to) : std::string{};
    log.info("outcome", {{"tenant", job.tenant},
                         {"job", job.id.str()},
                         {"outcome", to_string(outcome.outcome)},
                         {"message_sid", job.sid.str()},
                         {"session", session.empty() ? session : history.hash_of(session)}});
    if (!job.tag.starts_with(tokens_tag) || outcome.outcome == wa::Outcome::held) return;
    const auto tokens = std::stoll(job.tag.substr(tokens_tag.size()));
    if (job.sid.empty() && job.reason != wa::DeadReason::unknown) {
        if (tokens > 0) usage.release(job.tenant, job.key);
        return;
    }
    // All of it is done again where a process dies in the middle, and changes nothing then.
    if (tokens > 0) usage.settle(job.tenant, job.key, tokens);
    usage.record(job.tenant, job.id.str(), job.sid.str(), tokens);
    if (job.message) {
        history.add(job.tenant, session, job.id.str(), {"assistant", job.message->body});
    }
}

void Messages::on_message(wa::Turn& turn) const {
    const auto& message = turn.message();
    const auto tenant = tenants.owner_of(message.account_sid.str()).value();
    const auto organisation = tenant.organisation;
    const auto plan = tenants.plan_of(organisation);
    const auto sid = message.sid.str();
    const auto session = History::session_of(message.from);
    auto said = history.last(organisation, session, remembered);
    said.push_back({"user", message.body.empty() ? "[no text]" : message.body});

    turn.at_commit([=, this, asked = said.back()](const wa::NativeTransaction& transaction) {
        history.add(organisation, session, sid, asked, transaction.postgresql);
    });
    std::string_view silent;
    if (plan.active_chatbot.empty()) {
        silent = "no_chatbot";
    } else if (!usage.reserve(organisation, sid, chatbot.most_tokens(said)).granted) {
        silent = "no_tokens_left";
    }
    if (!silent.empty()) {
        log.warning(silent, {{"tenant", organisation}, {"message_sid", sid}});
        return reply(turn, tenant, plan.sentence);
    }
    const auto answer = chatbot.answer(plan.active_chatbot, said);
    // They are used, whatever becomes of it; if it has to be asked again, still once.
    usage.settle(organisation, sid, answer.tokens);
    reply(turn, tenant, answer.text);
    turn.at_commit([=, this](const wa::NativeTransaction& transaction) {
        auto* const within = transaction.postgresql;
        history.add(organisation, session, sid + "/answer", {"assistant", answer.text}, within);
        usage.record(organisation, sid, sid, answer.tokens, within);
    });
}

void Messages::reply(wa::Turn& turn, const Configuration& tenant, const std::string& text) const {
    const auto& message = turn.message();
    const auto options = job_of(tenant, History::session_of(message.from));
    for (const auto& part : wa::split_text(text)) {
        turn.enqueue(wa::OutboundText{.to = message.from, .body = part, .from = message.to},
                     options);
    }
}

}  // namespace platform
