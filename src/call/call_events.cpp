#include "call/call_events.hpp"

#include <twiliowa/http/http_transport.hpp>

namespace twiliowa::detail {

namespace {

std::chrono::microseconds microseconds(MonotonicTime::duration duration) noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

}  // namespace

CallEvents::CallEvents(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
                       const CorrelationId& correlation_id, const BegunCall& begun)
    : observer_(core.observer.get()), is_told_(begun.id != 0) {
    if (observer_ == nullptr) return;
    account_sid_ = account_sid;
    correlation_id_ = correlation_id;
    const auto& origin = core.origin_of(kind.product);
    info_.id = is_told_ ? begun.id : core.next_call_id();
    info_.operation = kind.name;
    info_.method = to_string(kind.method);
    info_.scheme = std::string_view{origin.base}.substr(0, origin.base.find(':'));
    info_.host = origin.host;
    info_.port = origin.port;
    info_.path_template = kind.path;
    info_.account_sid = account_sid_;
    info_.correlation_id = correlation_id_.text();
}

void CallEvents::tell_call() const noexcept {
    if (observer_ != nullptr && !is_told_) observer_->on_call({.call = info_});
}

void CallEvents::tell_attempt(int attempt, int http_status, std::string_view request_id,
                              const Error* failure, MonotonicTime::duration duration,
                              MonotonicTime::duration slot_wait) const noexcept {
    if (observer_ == nullptr) return;
    observer_->on_attempt({.call = info_,
                           .attempt = attempt,
                           .http_status = http_status,
                           .request_id = request_id,
                           .error = failure,
                           .duration = microseconds(duration),
                           .slot_wait = microseconds(slot_wait)});
}

void CallEvents::tell_retry(int attempt, const Error& failure,
                            MonotonicTime::duration delay) const noexcept {
    if (observer_ == nullptr) return;
    observer_->on_retry({.call = info_,
                         .attempt = attempt,
                         .http_status = failure.http_status(),
                         .code = failure.code(),
                         .delay = std::chrono::duration_cast<std::chrono::milliseconds>(delay)});
}

void CallEvents::tell_result(int attempts, std::string_view request_id, const Error* error,
                             MonotonicTime::duration duration) const noexcept {
    if (observer_ == nullptr) return;
    observer_->on_result({.call = info_,
                          .attempts = attempts,
                          .request_id = request_id,
                          .error = error,
                          .duration = microseconds(duration)});
}

BegunCall tell_begun(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
                     const CorrelationId& correlation_id) noexcept {
    const CallEvents events{core, kind, account_sid, correlation_id};
    events.tell_call();
    return {events.call_id(), core.clock->monotonic_now()};
}

void tell_refused(const ClientCore& core, const CallKind& kind, std::string_view account_sid,
                  const CorrelationId& correlation_id, const Error& error,
                  const BegunCall& begun) noexcept {
    const CallEvents events{core, kind, account_sid, correlation_id, begun};
    events.tell_call();
    events.tell_result(
        0, {}, &error,
        begun.id == 0 ? MonotonicTime::duration{} : core.clock->monotonic_now() - begun.at);
}

}  // namespace twiliowa::detail
