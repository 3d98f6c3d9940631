#include "worker.hpp"

#include <string>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "support/jobs.hpp"

namespace processor {

namespace wa = twiliowa;

std::optional<Worker::Failure> Worker::work_on(const QueuedJob& job) const {
    const auto context = read_context(job.body);
    if (!context) return Failure{context.error(), true};
    // A job that the outbox has stays what it is: the model would answer something else now.
    if (is_handed_over(*context, job)) {
        log.info("handed_over_before", {{"job", job.id}});
        return std::nullopt;
    }
    if (job.deliveries > options.max_deliveries) {
        return Failure{wa::Error::invalid_request("job", "was delivered too often, and never done"),
                       true};
    }
    auto failure = hand_over(*context, job);
    // The time-out may have been shorter than the model took, and another worker quicker.
    if (failure && is_handed_over(*context, job)) return std::nullopt;
    return failure;
}

bool Worker::is_handed_over(const ContextObject& context, const QueuedJob& job) const {
    return outbox.find(context.credentials_id, job.id).has_value();
}

std::optional<Worker::Failure> Worker::hand_over(const ContextObject& context,
                                                 const QueuedJob& job) const {
    const auto company = companies.get(context.credentials_id);
    if (!company) return Failure{company.error()};

    log.info("asks_model", {{"job", job.id}});
    auto answer = read_answer(model.answer(context));
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

    const auto handed_over = record.hand_over(outbox,
                                              {.job_id = job.id,
                                               .body = seen->body,
                                               .thread_id = answer->thread_id,
                                               .context = context.text},
                                              message,
                                              {.key = job.id,
                                               .tenant = context.credentials_id,
                                               .tag = job.id,
                                               .account = context.credentials_id});
    if (!handed_over) return Failure{handed_over.error(), handed_over.error().is_permanent()};
    log.info("handed_over", {{"job", job.id}, {"recipient", log.hash(context.recipient_tel)}});
    return std::nullopt;
}

bool Worker::work_once() const {
    const auto job = queue.receive(options.visibility);
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
        queue.acknowledge(*job);
        log.info("acknowledged", {{"job", job->id}});
        return true;
    }
    log.warning(failure->pointless ? "refused" : "failed", {{"job", job->id}}, failure->error);
    if (failure->pointless) {
        queue.bury(*job, support::reason_of(failure->error));
    } else if (job->deliveries >= options.max_deliveries) {
        log.warning("given_up", {{"job", job->id}});
        queue.bury(*job, "tried " + std::to_string(job->deliveries) +
                             " times: " + support::reason_of(failure->error));
    } else {
        queue.give_back(*job, options.pause_after_failure);
    }
    return true;
}

void Worker::on_outcome(const wa::JobOutcome& outcome) const {
    const auto& key = outcome.job.key;
    record.follow(outcome);
    support::log_sent(log, outcome);
    if (support::has_failed(outcome)) {
        queue.bury({.id = key, .body = record.context_of(key)}, support::reason_of(outcome));
    }
}

}  // namespace processor
