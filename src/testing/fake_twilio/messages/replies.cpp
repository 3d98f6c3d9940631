#include "testing/fake_twilio/messages/replies.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "testing/fake_twilio/messages/create.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/messages/twiml.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "text/media_type.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::size_t max_twiml = std::size_t{64} * 1024;
constexpr std::size_t max_replies = 30;
constexpr std::chrono::seconds reply_period{30};

std::string_view job_parameter(const FakeWebhookJob& job, std::string_view wanted) {
    for (const auto& [name, value] : job.parameters) {
        if (name == wanted) return value;
    }
    return {};
}

/// TwiML may come as any of these; whether it is TwiML is seen when it is parsed.
bool may_be_twiml(std::string_view type) {
    return detail::is_media_type(type, "text/xml") ||
           detail::is_media_type(type, "application/xml") ||
           detail::is_media_type(type, "text/html");
}

/// Whether that chat has had as many replies as Twilio lets pass in that time.
bool is_loop(FakeWorld& world, const std::string& from, const std::string& to, TimePoint now) {
    auto& replies = world.replies[from + " " + to];
    while (!replies.empty() && replies.front() + reply_period <= now) replies.pop_front();
    if (replies.size() >= max_replies) return true;
    replies.push_back(now);
    return false;
}

FakeParameters reply_parameters(const FakeWebhookJob& job, const FakeVerb& verb) {
    std::vector<FakeParameters::Entry> entries;
    const auto put = [&](const char* name, std::string_view value) {
        if (!value.empty()) entries.emplace_back(name, value);
    };
    put("To", verb.to.empty() ? job_parameter(job, "From") : std::string_view{verb.to});
    put("From", verb.from.empty() ? job_parameter(job, "To") : std::string_view{verb.from});
    put("Body", verb.body);
    for (const auto& url : verb.media) put("MediaUrl", resolve_url(job.url, url));
    if (!verb.status_callback.empty()) {
        put("StatusCallback", resolve_url(job.url, verb.status_callback));
    }
    return FakeParameters{std::move(entries)};
}

int send_reply(FakeWorld& world, const FakeWebhookJob& job, const FakeVerb& verb,
               const FakeMoment& moment) {
    auto* account = world.accounts.find(job.account_sid);
    if (account == nullptr) return 0;
    const auto parameters = reply_parameters(job, verb);
    const FakeCreate create{parameters, world, *account, moment};
    if (const auto problem = check_create(create)) return problem->code;
    if (is_loop(world, std::string{parameters.get("From")}, std::string{parameters.get("To")},
                moment.now)) {
        return 14107;
    }
    account->count_created(day_of(moment.now));
    auto& message = world.store.add(build_message(create, world.ids));
    message.record.direction = Direction{Direction::outbound_reply};
    start_lifecycle(world, message, moment);
    return 0;
}

void follow_redirect(FakeWorld& world, const FakeWebhookJob& job, const FakeVerb& verb,
                     const FakeMoment& moment) {
    if (job.redirects >= max_redirects) return;
    FakeWebhookJob next;
    next.kind = job.kind;
    next.url = FakeWebhookUrl::parse(resolve_url(job.url, verb.body));
    if (detail::equals_ignoring_case(verb.method, "GET")) next.method = "GET";
    next.parameters = job.parameters;
    next.account_sid = job.account_sid;
    next.message_sid = job.message_sid;
    next.redirects = job.redirects + 1;
    next.fallback_url = job.fallback_url;
    next.fallback_method = job.fallback_method;
    queue_webhook(world, std::move(next), moment);
}

}  // namespace

int obey_answer(FakeWorld& world, const FakeWebhookJob& job, const WebhookResponse& answer,
                const FakeMoment& moment) {
    if (answer.status < 200 || answer.status >= 300) return 11200;
    if (answer.status == 204 || answer.body.empty()) return 0;
    if (answer.body.size() > max_twiml) return 11750;
    if (!may_be_twiml(find_header(answer.headers, "Content-Type"))) return 12300;
    const auto verbs = parse_twiml(answer.body);
    if (!verbs) return 12100;
    int code = 0;
    for (const auto& verb : *verbs) {
        if (verb.kind == FakeVerb::Kind::redirect) {
            follow_redirect(world, job, verb, moment);
            break;  // What follows a redirect is never reached.
        }
        const int problem = send_reply(world, job, verb, moment);
        if (code == 0) code = problem;
    }
    return code;
}

}  // namespace twiliowa::testing::fake
