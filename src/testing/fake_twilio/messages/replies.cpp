#include "testing/fake_twilio/messages/replies.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "testing/fake_twilio/messages/create.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/messages/twiml.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t fake_max_twiml = std::size_t{64} * 1024;
constexpr std::size_t fake_max_replies = 30;
constexpr std::chrono::seconds fake_reply_period{30};

std::string_view fake_job_parameter(const FakeWebhookJob& job, std::string_view wanted) {
    for (const auto& [name, value] : job.parameters) {
        if (name == wanted) return value;
    }
    return {};
}

bool is_fake_xml_type(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return equals_ignoring_case(type, "text/xml") || equals_ignoring_case(type, "application/xml");
}

/// Whether that chat has had as many replies as Twilio lets pass in that time.
bool is_fake_loop(FakeWorld& world, const std::string& from, const std::string& to, TimePoint now) {
    auto& replies = world.replies[from + " " + to];
    while (!replies.empty() && replies.front() + fake_reply_period <= now) replies.pop_front();
    if (replies.size() >= fake_max_replies) return true;
    replies.push_back(now);
    return false;
}

FakeParameters fake_reply_parameters(const FakeWebhookJob& job, const FakeVerb& verb) {
    std::vector<FakeParameters::Entry> entries;
    const auto put = [&](const char* name, std::string_view value) {
        if (!value.empty()) entries.emplace_back(name, value);
    };
    put("To", verb.to.empty() ? fake_job_parameter(job, "From") : std::string_view{verb.to});
    put("From", verb.from.empty() ? fake_job_parameter(job, "To") : std::string_view{verb.from});
    put("Body", verb.body);
    for (const auto& url : verb.media) put("MediaUrl", resolve_fake_url(job.url, url));
    if (!verb.status_callback.empty()) {
        put("StatusCallback", resolve_fake_url(job.url, verb.status_callback));
    }
    return FakeParameters{std::move(entries)};
}

int send_fake_reply(FakeWorld& world, const FakeWebhookJob& job, const FakeVerb& verb,
                    const FakeMoment& moment) {
    auto* account = world.accounts.find(job.account_sid);
    if (account == nullptr) return 0;
    const auto parameters = fake_reply_parameters(job, verb);
    const FakeCreate create{parameters, world, *account, moment};
    if (const auto problem = check_fake_create(create)) return problem->code;
    if (is_fake_loop(world, std::string{parameters.get("From")}, std::string{parameters.get("To")},
                     moment.now)) {
        return 14107;
    }
    account->count_created(fake_day_of(moment.now));
    auto& message = world.store.add(build_fake_message(create, world.ids));
    message.record.direction = Direction{Direction::outbound_reply};
    start_fake_lifecycle(world, message, moment);
    return 0;
}

void follow_fake_redirect(FakeWorld& world, const FakeWebhookJob& job, const FakeVerb& verb,
                          const FakeMoment& moment) {
    if (job.redirects >= fake_max_redirects) return;
    FakeWebhookJob next;
    next.kind = job.kind;
    next.url = FakeWebhookUrl::parse(resolve_fake_url(job.url, verb.body));
    if (equals_ignoring_case(verb.method, "GET")) next.method = "GET";
    next.parameters = job.parameters;
    next.account_sid = job.account_sid;
    next.message_sid = job.message_sid;
    next.redirects = job.redirects + 1;
    next.fallback_url = job.fallback_url;
    next.fallback_method = job.fallback_method;
    queue_fake_webhook(world, std::move(next), moment);
}

}  // namespace

int obey_fake_answer(FakeWorld& world, const FakeWebhookJob& job, const WebhookResponse& answer,
                     const FakeMoment& moment) {
    if (answer.status < 200 || answer.status >= 300) return 11200;
    if (answer.status == 204 || answer.body.empty()) return 0;
    if (answer.body.size() > fake_max_twiml) return 11750;
    if (!is_fake_xml_type(find_header(answer.headers, "Content-Type"))) return 12300;
    const auto verbs = parse_fake_twiml(answer.body);
    if (!verbs) return 12100;
    int code = 0;
    for (const auto& verb : *verbs) {
        if (verb.kind == FakeVerb::Kind::redirect) {
            follow_fake_redirect(world, job, verb, moment);
            break;  // What follows a redirect is never reached.
        }
        const int problem = send_fake_reply(world, job, verb, moment);
        if (code == 0) code = problem;
    }
    return code;
}

}  // namespace twiliowa::detail
