#include "api.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/http_headers.hpp>

#include "trigger.hpp"

namespace registration {

namespace wa = twiliowa;

namespace {

using Json = nlohmann::json;
using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view text) {
    Digest digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return digest;
}

/// What makes two requests one where the caller gives no Idempotency-Key: all that they say.
std::string natural_key(const Trigger& trigger) {
    std::string said = trigger.parent_tel + '\0' + (trigger.use_defaults ? "defaults" : "");
    for (const auto& [name, value] : trigger.fields) said.append(1, '\0').append(value);
    return said;
}

}  // namespace

Api::Api(wa::Secret key, std::string sender, Registrations& registrations, wa::Outbox& outbox,
         const wa::ConversationWindow& window, const Log& log)
    : key_(std::move(key)),
      sender_(std::move(sender)),
      registrations_(registrations),
      outbox_(outbox),
      window_(window),
      log_(log),
      limiter_(wa::token_bucket({.per_second = 25, .burst = 50})) {}

Api::Answer Api::refusal(int status, const wa::Error& error) {
    return {status, {{"field", error.field()}, {"problem", error.data().summary}}};
}

Api::Answer Api::taken_in(const wa::Result<wa::EnqueuedJob>& job) {
    if (job) return {202, {{"id", job->id.str()}}};
    const auto& error = job.error();
    if (error.kind() != wa::ErrorKind::invalid_request) return refusal(503, error);
    return refusal(error.field() == "key" ? 409 : 400, error);
}

/// The same for a request that is repeated.
wa::Result<std::string> Api::key_of(const wa::WebhookRequest& request, std::string_view path,
                                    std::string_view natural) {
    const auto given = wa::find_header(request.headers, "Idempotency-Key");
    if (given.size() > 100) {
        return wa::Error::invalid_request("Idempotency-Key", "is longer than 100 characters");
    }
    std::string key{path};
    if (!given.empty()) return key.append("/given/").append(given);
    return key.append("/natural/").append(hex(sha256(natural)));
}

Api::Answer Api::admit(const char* method, const wa::WebhookRequest& request) const {
    const bool is_known = key_.matches(wa::find_header(request.headers, "x-api-key"));
    // Whoever has no key uses up nothing of the one who has.
    const char* const who = is_known ? "known" : "unknown";
    const auto now = wa::system_clock()->monotonic_now();
    if (const auto slot = limiter_->try_acquire(who, now); !slot) {
        const auto wait = std::chrono::ceil<std::chrono::seconds>(slot.free_at - now);
        return {429, {{"problem", "too many requests"}}, {}, static_cast<int>(wait.count())};
    }
    if (!is_known) return {403, {{"field", "x-api-key"}, {"problem", "is not the key"}}};
    if (request.method != method) return {405, {{"problem", "is not the method"}}};
    if (request.body.size() > max_body_bytes) return {413, {{"problem", "is too long"}}};
    return {};
}

wa::WebhookResponse Api::answer(const char* name, const char* method,
                                const wa::WebhookRequest& request, const Work& work) {
    const auto id = new_request_id();
    std::string problem;
    auto made = admit(method, request);
    try {
        if (made.status == 0) made = work(id);
    } catch (const std::exception& error) {
        problem = error.what();
        made = {503, {{"problem", "try again"}}, {}, 1};
    }
    if (problem.empty()) problem = made.body.value("problem", "");
    log_.line(name, id,
              {{"http", std::to_string(made.status)},
               {"job", made.body.value("id", "")},
               {"sid", made.body.value("sid", "")},
               {"recipient", made.recipient},
               {"field", made.body.value("field", "")},
               {"problem", problem}});
    wa::WebhookResponse response{
        .status = made.status,
        .headers = {{"Content-Type", "application/json"}, {"X-Request-Id", id}},
        .body = made.body.dump()};
    if (made.status == 503 && !made.retry_after) made.retry_after = 1;
    if (made.retry_after) {
        response.headers.emplace_back("Retry-After", std::to_string(*made.retry_after));
    }
    if (made.status == 405) response.headers.emplace_back("Allow", method);
    return response;
}

wa::WebhookResponse Api::trigger(const wa::WebhookRequest& request) {
    return answer("trigger", "POST", request, [&](const std::string& id) {
        const auto trigger = read_trigger(request.body);
        if (!trigger) return refusal(400, trigger.error());
        const auto key = key_of(request, "trigger", natural_key(*trigger));
        if (!key) return refusal(400, key.error());
        auto made = taken_in(
            registrations_.add(outbox_, *trigger, to_template(*trigger), {.key = *key, .tag = id}));
        made.recipient = log_.hash(trigger->parent_tel);
        return made;
    });
}

wa::WebhookResponse Api::message(const wa::WebhookRequest& request) {
    return answer("message", "POST", request, [&](const std::string& id) {
        const auto text = read_message(request.body);
        if (!text) return refusal(400, text.error());
        const auto key = key_of(request, "message", text->to + '\0' + text->body);
        if (!key) return refusal(400, key.error());
        const auto window = window_.state(sender_, text->to);
        if (!window) return refusal(503, window.error());
        wa::JobOptions options{.key = *key, .tag = id};
        Answer made;
        if (window->open) {
            options.expires_at = window->until;
            made = taken_in(outbox_.try_enqueue(*text, options));
        } else {
            // What was taken in before is answered as it was.
            const auto known = outbox_.try_find("", *key);
            if (!known) return refusal(503, known.error());
            made = *known
                       ? taken_in(outbox_.try_enqueue(*text, options))
                       : Answer{409,
                                {{"field", "to"}, {"problem", "has not written within 24 hours"}}};
        }
        made.recipient = log_.hash(text->to);
        return made;
    });
}

wa::WebhookResponse Api::look_up(const wa::WebhookRequest& request, std::string_view id) {
    return answer("look-up", "GET", request, [&](const std::string&) -> Answer {
        const auto job_id = wa::JobId::parse(id);
        const auto job = job_id ? outbox_.try_find(*job_id) : std::optional<wa::Job>{};
        if (!job) return refusal(503, job.error());
        if (!*job) return {404, {{"problem", "is not known"}}};
        const auto& found = **job;
        return {200,
                {{"id", found.id.str()},
                 {"state", std::string{to_string(found.state)}},
                 {"sid", found.sid.str()},
                 {"status", found.status.str()},
                 {"code", found.error_code},
                 {"problem", found.problem},
                 {"advice", std::string{wa::advise(found.error_code).advice}}}};
    });
}

}  // namespace registration
