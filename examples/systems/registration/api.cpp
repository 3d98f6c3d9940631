#include "api.hpp"

#include <twiliowa/types/error.hpp>

#include "support/jobs.hpp"
#include "trigger.hpp"

namespace registration {

namespace wa = twiliowa;
using support::Answer;
using support::Call;

namespace {

/// What makes two triggers one where the caller gives no Idempotency-Key: all that they say.
std::string all_of(const Trigger& trigger) {
    std::string said = trigger.parent_tel + '\0' + (trigger.use_defaults ? "defaults" : "");
    for (const auto& [name, value] : trigger.fields) said.append(1, '\0').append(value);
    return said;
}

Answer taken_in(const wa::EnqueuedJob& job, std::string recipient) {
    return {.status = 202, .body = {{"id", job.id.str()}}, .recipient = std::move(recipient)};
}

}  // namespace

support::Api make_api(const std::string& key, const std::string& sender,
                      Registrations& registrations, wa::Outbox& outbox,
                      const wa::ConversationWindow& window, const support::Log& log) {
    support::Api api{
        log,
        {.key = wa::Secret{key}, .limiter = wa::token_bucket({.per_second = 25, .burst = 50})}};
    // Writes to a parent by template. 202 when that is on the disk.
    api.on("POST", "/trigger", [&registrations, &outbox, &log](const Call& call) {
        const auto trigger = read_trigger(call.object()).value();
        const auto job = registrations.add(
            outbox, trigger, to_template(trigger),
            {.key = call.job_key("trigger", all_of(trigger)), .tag = support::current_request()});
        return taken_in(job.value(), log.hash(trigger.parent_tel));
    });
    // A text, within 24 hours of the parent's last message only.
    api.on("POST", "/message", [sender, &outbox, &window, &log](const Call& call) -> Answer {
        const auto text = read_message(call.object()).value();
        wa::JobOptions options{.key = call.job_key("message", text.to + '\0' + text.body),
                               .tag = support::current_request()};
        const auto recent = window.state(sender, text.to).value();
        if (recent.open) options.expires_at = recent.until;
        // What was taken in before is answered as it was.
        if (!recent.open && !outbox.find("", options.key)) {
            return {.status = 409,
                    .body = {{"field", "to"}, {"problem", "has not written within 24 hours"}},
                    .recipient = log.hash(text.to)};
        }
        return taken_in(outbox.enqueue(text, options), log.hash(text.to));
    });
    // What has become of a message, by the id that the others have answered.
    api.on("GET", "/messages/([0-9a-f]{20})", [&outbox](const Call& call) {
        return Answer{.body = support::view_of(support::find_job(outbox, call.name))};
    });
    return api;
}

}  // namespace registration
