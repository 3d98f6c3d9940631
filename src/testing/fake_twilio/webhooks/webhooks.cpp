#include "testing/fake_twilio/webhooks/webhooks.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <twiliowa/request_validator.hpp>

#include "testing/fake_twilio/webhooks/challenge.hpp"
#include "text/ascii.hpp"
#include "text/form.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr int webhook_failed = 11200;
/// Marks the second copy of a doubled webhook among the jobs.
constexpr std::string_view copy_mark = "+";

void plan_webhook(FakeWorld& world, const std::string& job, MonotonicTime when,
                  FakeEvent::Kind kind = FakeEvent::Kind::webhook) {
    world.events.push(when, {kind, job, {}});
}

std::string query_of_webhook(const FakeWebhookJob& job) {
    std::string query;
    if (job.bare) return query;
    for (const auto& [name, value] : job.parameters) append_query(query, name, value);
    return query;
}

testing::FakeWebhook build_webhook(const FakeWorld& world, const FakeWebhookJob& job,
                                   std::uint64_t number) {
    testing::FakeWebhook webhook;
    webhook.number = number;
    webhook.kind = job.kind;
    webhook.message_sid = job.message_sid;
    webhook.attempt = job.attempt;
    webhook.connect_timeout = job.url.connect_timeout;
    webhook.read_timeout = job.url.read_timeout;
    webhook.total_timeout = job.url.total_timeout;

    auto& request = webhook.request;
    request.method = job.method;
    request.scheme = job.url.scheme;
    request.target = job.url.target;
    const bool has_body = job.method != "GET";
    webhook.url = job.url.text;
    if (has_body) {
        for (const auto& [name, value] : job.parameters) {
            detail::append_form_field(request.body, name, value);
        }
    } else if (const auto query = query_of_webhook(job); !query.empty()) {
        webhook.url = job.url.with_query(query);
        request.target += (request.target.find('?') == std::string::npos ? "?" : "&") + query;
    }
    const auto* account = world.accounts.find(job.account_sid);
    SignedRequest to_sign;
    to_sign.method = request.method;
    to_sign.url = webhook.url;
    to_sign.body = request.body;
    const RequestValidator validator{account == nullptr ? std::string_view{}
                                                        : std::string_view{account->auth_token}};
    request.headers = {
        {"Host", job.url.host},
        {"User-Agent", "TwilioProxy/1.1"},
        {"Accept", "*/*"},
        {"X-Twilio-Signature", validator.sign(to_sign)},
        {"I-Twilio-Idempotency-Token", job.idempotency_token},
    };
    if (has_body) {
        request.headers.emplace_back("Content-Type",
                                     "application/x-www-form-urlencoded; charset=UTF-8");
    }
    if (!job.authorization.empty()) {
        request.headers.emplace_back("Authorization", job.authorization);
    }
    return webhook;
}

bool is_unreached(const Error& error) noexcept {
    return error.stage() == Stage::prepare || error.stage() == Stage::resolve ||
           error.stage() == Stage::connect || error.stage() == Stage::tls;
}

/// What went wrong, in the words of a retry policy; empty when nothing did.
std::string_view failure_of(const Result<WebhookResponse>& answer) noexcept {
    if (!answer) return is_unreached(answer.error()) ? "ct" : "rt";
    if (answer->status >= 500) return "5xx";
    if (answer->status >= 400) return "4xx";
    return {};
}

void note_outcome(FakeWorld& world, std::uint64_t number, const Result<WebhookResponse>& answer) {
    auto* record = world.webhooks.find(number);
    ++world.revision;
    if (record == nullptr) return;
    if (!answer) {
        record->outcome = is_unreached(answer.error()) ? "unreachable" : "timeout";
        record->error_code = webhook_failed;
        return;
    }
    record->outcome = "answered";
    record->status = answer->status;
    record->response = answer->body.substr(0, kept_text);
    if (answer->status < 200 || answer->status >= 300) record->error_code = webhook_failed;
}

/// Makes the next try one that says who it is, if that was asked and has not been said yet.
bool answers_challenge(FakeWorld& world, const WebhookResponse& answer,
                       const testing::FakeWebhookRecord* record, FakeWebhookJob& job) {
    if (answer.status != 401 || !job.authorization.empty() || !job.url.has_login()) return false;
    const auto nonce = world.tokens.next({});
    FakeChallenged challenged;
    challenged.user = job.url.user;
    challenged.password = job.url.password;
    challenged.method = job.method;
    challenged.target = record == nullptr ? job.url.target : record->webhook.request.target;
    challenged.nonce = nonce;
    job.authorization = answer_challenge(answer.headers, challenged);
    return !job.authorization.empty();
}

/// Asks again where the answer points to, as HTTP clients do.
bool follows_location(FakeWorld& world, const WebhookResponse& answer, const FakeWebhookJob& job,
                      const FakeMoment& moment) {
    const bool repeats = answer.status == 307 || answer.status == 308;
    if (!repeats && answer.status != 301 && answer.status != 302 && answer.status != 303) {
        return false;
    }
    const auto location = find_header(answer.headers, "Location");
    if (location.empty() || job.redirects >= max_redirects) return false;
    auto next = job;
    next.url = FakeWebhookUrl::parse(resolve_url(job.url, location));
    next.attempt = 0;
    next.idempotency_token.clear();
    next.authorization.clear();
    ++next.redirects;
    if (!repeats) {
        next.method = "GET";
        next.bare = true;
    }
    queue_webhook(world, std::move(next), moment);
    return true;
}

/// Whether the error is of the webhook itself, not of what its answer asks for.
bool is_webhook_error(int code) noexcept {
    return code == webhook_failed || code == 11750 || code == 12100 || code == 12300;
}

void ask_fallback(FakeWorld& world, const FakeWebhookJob& failed, int code,
                  const FakeMoment& moment) {
    if (failed.fallback_url.empty() || !is_webhook_error(code)) return;
    FakeWebhookJob job;
    job.kind = failed.kind;
    job.url = FakeWebhookUrl::parse(failed.fallback_url);
    job.method = failed.fallback_method;
    job.parameters = failed.parameters;
    job.parameters.emplace_back("ErrorCode", std::to_string(code));
    job.parameters.emplace_back("ErrorUrl", failed.url.text);
    job.account_sid = failed.account_sid;
    job.message_sid = failed.message_sid;
    queue_webhook(world, std::move(job), moment);
}

/// A dropped webhook leaves a record, as a page should show it.
void drop_webhook(FakeWorld& world, FakeWebhookJob& job, TimePoint now) {
    job.attempt = 1;
    testing::FakeWebhookRecord record;
    record.when = now;
    record.webhook = build_webhook(world, job, world.webhooks.last_number() + 1);
    record.outcome = "dropped";
    world.webhooks.add(std::move(record), world.options.log_size);
}

}  // namespace

void queue_webhook(FakeWorld& world, FakeWebhookJob job, const FakeMoment& moment) {
    if (job.idempotency_token.empty()) job.idempotency_token = world.tokens.next_uuid();
    const auto& faults = world.faults.webhooks;
    if (world.dice.rolls(faults.dropped)) return drop_webhook(world, job, moment.now);

    const std::string id = job.idempotency_token;
    auto when = moment.monotonic;
    if (world.dice.rolls(faults.late)) when += faults.late_by;
    if (world.dice.rolls(faults.doubled)) {
        const std::string copy = id + std::string{copy_mark};
        world.jobs.emplace(copy, job);
        plan_webhook(world, copy, when);
    }
    world.jobs.emplace(id, std::move(job));
    if (world.held_job.empty() && world.dice.rolls(faults.reordered)) {
        world.held_job = id;
        plan_webhook(world, id, when + faults.late_by, FakeEvent::Kind::release);
    } else {
        plan_webhook(world, id, when);
    }
}

std::optional<testing::FakeWebhook> start_webhook(FakeWorld& world, const FakeEvent& event,
                                                  const FakeMoment& moment) {
    if (event.kind == FakeEvent::Kind::release) {
        if (world.held_job != event.subject) return std::nullopt;
        world.held_job.clear();
    }
    const auto found = world.jobs.find(event.subject);
    if (found == world.jobs.end()) return std::nullopt;
    if (!world.held_job.empty()) {
        // This one has overtaken the one held back, which follows at once.
        plan_webhook(world, world.held_job, moment.monotonic);
        world.held_job.clear();
    }
    ++found->second.attempt;
    testing::FakeWebhookRecord record;
    record.when = moment.now;
    record.webhook = build_webhook(world, found->second, world.webhooks.last_number() + 1);
    auto webhook = record.webhook;
    world.webhooks.add(std::move(record), world.options.log_size);
    ++world.revision;
    return webhook;
}

std::optional<FakeWebhookJob> finish_webhook(FakeWorld& world, std::string_view id,
                                             std::uint64_t number,
                                             const Result<WebhookResponse>& answer,
                                             const FakeMoment& moment) {
    note_outcome(world, number, answer);
    const auto found = world.jobs.find(id);
    if (found == world.jobs.end()) return std::nullopt;
    auto* record = world.webhooks.find(number);
    if (answer && answers_challenge(world, *answer, record, found->second)) {
        --found->second.attempt;  // The same try, with its second half to come.
        if (record != nullptr) record->error_code = 0;
        plan_webhook(world, found->first, moment.monotonic);
        return std::nullopt;
    }
    const auto failure = failure_of(answer);
    found->second.authorization.clear();
    if (!failure.empty() && found->second.attempt <= found->second.url.retries &&
        found->second.url.retries_on(failure)) {
        plan_webhook(world, found->first, moment.monotonic + world.options.timings.webhook_retry);
        return std::nullopt;
    }
    auto job = std::move(found->second);
    world.jobs.erase(found);
    if (!failure.empty()) {
        conclude_webhook(world, job, number, webhook_failed, moment);
        return std::nullopt;
    }
    if (follows_location(world, *answer, job, moment)) {
        record = world.webhooks.find(number);
        if (record != nullptr) record->error_code = 0;
        return std::nullopt;
    }
    if (job.kind == "inbound") return job;
    return std::nullopt;
}

void conclude_webhook(FakeWorld& world, const FakeWebhookJob& job, std::uint64_t number, int code,
                      const FakeMoment& moment) {
    if (code == 0) return;
    // The log may have forgotten it by now.
    if (auto* record = world.webhooks.find(number)) record->error_code = code;
    ask_fallback(world, job, code, moment);
}

void discard_webhook(FakeWorld& world, std::string_view id, std::uint64_t number) {
    const auto found = world.jobs.find(id);
    if (found != world.jobs.end()) world.jobs.erase(found);
    if (auto* record = world.webhooks.find(number)) record->outcome = "nobody";
}

void resume_webhooks(FakeWorld& world, const FakeMoment& moment) {
    const auto events = world.events.sorted();
    for (const auto& job : world.jobs) {
        const auto& id = job.first;
        const bool planned = std::any_of(events.begin(), events.end(), [&](const auto& entry) {
            return entry.item.subject == id;
        });
        if (!planned) plan_webhook(world, id, moment.monotonic);
    }
}

}  // namespace twiliowa::testing::fake
