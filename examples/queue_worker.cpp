// A worker that takes jobs from a queue and sends each one once. The variables of a job were
// written by a language model, so they are checked before anything leaves.
//
// What becomes of a job:
//   sent           acknowledge it
//   Twilio's no    acknowledge it; a human reads the advice
//   nothing done   give it back to the queue: sending it again repeats nothing
//   not known      look first (reconcile), leaving out the messages of other jobs. Found:
//                  acknowledge. Not found: no proof that it was not sent, so it is parked for
//                  later, never sent again blindly.
//
// A real queue keeps attempted_at with the job before the send, and the SID after it: a worker that
// dies between the send and the acknowledgement leaves a job that its successor must look up first,
// too.
#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

struct Job {
    std::string id;
    std::string to;
    std::string content_sid;
    std::string variables_json;  // a language model wrote this
};

enum class Fate { acknowledge, give_back, park };

void report(const Job& job, const char* what, const std::string& detail) {
    std::printf("%-8s %-12s %s\n", job.id.c_str(), what, detail.c_str());
}

/// @param sent  the messages of all jobs, as far as they are known
Fate look_before_sending_again(const wa::MessagesClient& client, const Job& job,
                               const wa::OutboundMessage& message, wa::TimePoint attempted_at,
                               std::vector<wa::MessageSid>& sent) {
    wa::ReconcileOptions where;
    where.known = sent;
    const auto looked = client.try_reconcile(message, attempted_at, where);
    if (!looked) {
        report(job, "parked", looked.error().what());
        return Fate::park;
    }
    switch (looked->outcome) {
        case wa::Reconciliation::Outcome::found:
            report(job, "was sent", looked->sids.front().str());
            sent.push_back(looked->sids.front());
            return Fate::acknowledge;
        case wa::Reconciliation::Outcome::several:
            report(job, "parked", "several messages like it exist");
            return Fate::park;
        case wa::Reconciliation::Outcome::possible:
            report(job, "parked", "something was sent; a human must tell whether it was this");
            return Fate::park;
        case wa::Reconciliation::Outcome::not_found:
            break;
    }
    report(job, "parked", "not in the list yet; look again later");
    return Fate::park;
}

Fate work(const wa::MessagesClient& client, const Job& job, std::vector<wa::MessageSid>& sent) {
    auto variables = wa::TemplateVariables::from_json(job.variables_json);
    if (!variables) {
        report(job, "refused", variables.error().what());
        return Fate::acknowledge;
    }
    wa::OutboundTemplate message;
    message.to = job.to;
    message.content_sid = job.content_sid;
    message.variables = std::move(*variables);
    message.whitespace = wa::WhitespacePolicy::normalise;

    const auto attempted_at = std::chrono::system_clock::now();
    const auto result = client.try_send_template(message);
    if (result) {
        report(job, "sent", result->sid.str());
        sent.push_back(result->sid);
        return Fate::acknowledge;
    }
    const auto& error = result.error();
    switch (error.kind()) {
        case wa::ErrorKind::outcome_unknown:
            return look_before_sending_again(client, job, message, attempted_at, sent);
        case wa::ErrorKind::transport:
        case wa::ErrorKind::timeout:
        case wa::ErrorKind::cancelled:
        case wa::ErrorKind::rate_limit:
        case wa::ErrorKind::authentication:
            report(job, "given back", error.what());
            return Fate::give_back;
        default:
            report(job, "refused", error.what());
            if (!error.advice().advice.empty()) {
                report(job, "advice", std::string(error.advice().advice));
            }
            return Fate::acknowledge;
    }
}

}  // namespace

int main() try {
    const auto client = wa::MessagesClient::from_environment();
    const std::string order_sent = "HX00000000000000000000000000000001";
    std::deque<Job> queue = {
        {"job-1", "+447700900123", order_sent, R"({"1": "Lee", "2": "A-1042"})"},
        {"job-2", "+447700900123", order_sent, R"({"1": "Ana\n\nMaria", "2": "A-1043"})"},
        {"job-3", "+447700900123", order_sent, R"({"1": null, "2": "A-1044"})"},
        {"job-4", "+447700900123", order_sent, R"(Sure! Here are the variables: {"1": "Kim"})"},
    };
    std::vector<Job> parked;
    std::vector<wa::MessageSid> sent;
    for (auto rounds = queue.size() * 2; rounds > 0 && !queue.empty(); --rounds) {
        auto job = std::move(queue.front());
        queue.pop_front();
        switch (work(client, job, sent)) {
            case Fate::acknowledge:
                break;
            case Fate::give_back:
                queue.push_back(std::move(job));
                break;
            case Fate::park:
                parked.push_back(std::move(job));
                break;
        }
    }
    std::printf("%zu left in the queue, %zu parked\n", queue.size(), parked.size());
} catch (const std::exception& error) {
    std::fprintf(stderr, "queue_worker: %s\n", error.what());
    return 1;
}
