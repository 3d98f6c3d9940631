#include "outbox/answer.hpp"

#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {
namespace {

/// Whether trying again may help, without anybody's help.
bool helps_to_repeat(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::invalid_request:
            return false;
        case ErrorKind::transport:
        case ErrorKind::timeout:
        case ErrorKind::response:
        case ErrorKind::cancelled:
        case ErrorKind::rate_limit:
            return true;
        default:
            break;
    }
    const auto retry = error.advice().retry;
    return retry == RetryAdvice::with_backoff || retry == RetryAdvice::later ||
           retry == RetryAdvice::next_day;
}

AnswerScope scope_of(const Error& error) {
    const auto advice = error.advice();
    if (error.kind() == ErrorKind::authentication ||
        advice.category == ErrorCategory::authentication) {
        return AnswerScope::account;
    }
    if (advice.category == ErrorCategory::daily_limit) return AnswerScope::day;
    // Of the account's requests at once; slower senders are told of by a callback.
    if (error.kind() == ErrorKind::rate_limit) return AnswerScope::pace;
    if (is_store_error(error)) return AnswerScope::job;
    if (error.kind() == ErrorKind::transport || error.kind() == ErrorKind::timeout) {
        return AnswerScope::sender;
    }
    return AnswerScope::job;
}

}  // namespace

SendAnswer read_send_answer(const Result<Message>& answer, bool stopping) {
    if (answer) {
        return {SentProof{.sid = answer->sid.str(),
                          .status = answer->status.str(),
                          .evidence = Evidence::answer}};
    }
    const auto& error = answer.error();
    if (error.effect() == Effect::unknown || error.kind() == ErrorKind::outcome_unknown) {
        return {UnknownAnswer{error.http_status(), error.code(), error.what()},
                AnswerScope::sender};
    }
    NotSentProof proof;
    const auto scope = scope_of(error);
    proof.may_retry = helps_to_repeat(error) || scope != AnswerScope::job;
    // What hinders all jobs alike is not counted against the one that noticed it.
    const bool own = scope == AnswerScope::job || scope == AnswerScope::pace;
    proof.counts = own && !(stopping && error.kind() == ErrorKind::cancelled);
    if (error.advice().category == ErrorCategory::opted_out) proof.reason = DeadReason::opted_out;
    proof.retry_after = error.retry_after();
    proof.http_status = error.http_status();
    proof.error_code = error.code();
    proof.problem = error.what();
    return {std::move(proof), scope};
}

}  // namespace twiliowa::detail
