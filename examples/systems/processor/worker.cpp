#include "worker.hpp"

#include <string>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace processor {

namespace wa = twiliowa;

namespace {

std::string reason_of(const wa::Error& error) {
    std::string reason = error.what();
    const auto advice = error.advice().advice;
    return advice.empty() ? reason : reason.append("; ").append(advice);
}

std::string reason_of(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    std::string reason{to_string(outcome.outcome)};
    if (job.error_code != 0) reason += ' ' + std::to_string(job.error_code);
    if (!job.problem.empty()) reason += ": " + job.problem;
    const auto advice = wa::advise(job.error_code).advice;
    return advice.empty() ? reason : reason.append("; ").append(advice);
}

}  // namespace

std::optional<Worker::Failure> Worker::work_on(const QueuedJob& job) {
    const auto context = read_context(job.body);
    if (!context) return Failure{context.error(), true};
    // A job that the outbox has stays what it is: the model would answer something else now.
    if (is_handed_over(*context, job)) {
        log_.line("was handed over before", {{"job", job.id}});
        return std::nullopt;
    }
    if (job.deliveries > options_.max_deliveries) {
        return Failure{wa::Error::invalid_request("job", "was delivered too often, and never done"),
                       true};
    }
    auto failure = hand_over(*context, job);
    // The time-out may have been shorter than the model took, and another worker quicker.
    if (failure && is_handed_over(*context, job)) return std::nullopt;
    return failure;
}

bool Worker::is_handed_over(const ContextObject& context, const QueuedJob& job) {
    return outbox_.find(context.credentials_id, job.id).has_value();
}

std::optional<Worker::Failure> Worker::hand_over(const ContextObject& context,
                                                 const QueuedJob& job) {
    const auto company = companies_.get(context.credentials_id);
    if (!company) return Failure{company.error()};

    log_.line("asks the model", {{"job", job.id}});
    auto answer = read_answer(model_.answer(context));
    if (!answer) return Failure{answer.error(), true};

    const wa::OutboundMessage message =
        wa::OutboundTemplate{.to = context.recipient_tel,
                             .content_sid = (*company)->template_sid,
                             .variables = std::move(answer->variables),
                             .from = context.company_number};
    if (auto fits = (*company)->client.check(message); !fits) {
        return Failure{fits.error(), fits.error().is_permanent()};
    }
    const auto seen =
        (*company)->templates->try_render(message.content_sid, message.content_variables);
    if (!seen) return Failure{seen.error(), seen.error().is_permanent()};

    const auto handed_over = record_.hand_over(
        outbox_,
        {.job_id = job.id,
         .body = seen->body,
         .thread_id = answer->thread_id,
         .context = context.text},
        message,
        {.key = job.id, .tenant = context.credentials_id, .account = context.credentials_id});
    if (!handed_over) return Failure{handed_over.error(), handed_over.error().is_permanent()};
    log_.line("handed over", {{"job", job.id}, {"recipient", log_.hash(context.recipient_tel)}});
    return std::nullopt;
}

bool Worker::work_once() {
    const auto job = queue_.receive(options_.visibility);
    if (!job) return false;
    std::optional<Failure> failure;
    try {
        failure = work_on(*job);
    } catch (const wa::TwilioError& error) {
        failure = Failure{error.error()};
    } catch (const std::exception& error) {
        failure = Failure{wa::Error::transport(wa::Effect::none, wa::Stage::prepare, error.what())};
    }
    if (!failure) {
        queue_.acknowledge(*job);
        log_.line("acknowledged", {{"job", job->id}});
        return true;
    }
    log_.failure(failure->pointless ? "refused" : "failed", job->id, failure->error);
    if (failure->pointless) {
        queue_.bury(*job, reason_of(failure->error));
    } else if (job->deliveries >= options_.max_deliveries) {
        log_.line("given up", {{"job", job->id}});
        queue_.bury(*job, "tried " + std::to_string(job->deliveries) +
                              " times: " + reason_of(failure->error));
    } else {
        queue_.give_back(*job, options_.pause_after_failure);
    }
    return true;
}

void Worker::on_outcome(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    const bool failed = outcome.outcome == wa::Outcome::dead ||
                        outcome.outcome == wa::Outcome::held ||
                        outcome.outcome == wa::Outcome::undelivered;
    record_.follow(outcome);
    if (failed)
        queue_.bury({.id = job.key, .body = record_.context_of(job.key)}, reason_of(outcome));
    log_.line(to_string(outcome.outcome),
              {{"job", job.key},
               {"sid", job.sid.str()},
               {"http", job.attempts.empty() || job.attempts.back().http_status == 0
                            ? std::string{}
                            : std::to_string(job.attempts.back().http_status)},
               {"code", job.error_code == 0 ? std::string{} : std::to_string(job.error_code)},
               {"problem", job.problem},
               {"advice", std::string{wa::advise(job.error_code).advice}}});
}

}  // namespace processor
