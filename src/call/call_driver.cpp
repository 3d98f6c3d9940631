#include "call/call_driver.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <twiliowa/version.hpp>

#include "call/api_error.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

HttpRequest make_request(Operation& operation, const Credentials& credentials) {
    HttpRequest request;
    request.method = operation.method;
    request.url = std::move(operation.url);
    request.headers.reserve(3);
    request.headers.emplace_back("Accept", "application/json");
    request.headers.emplace_back("User-Agent", "twiliowa/" TWILIOWA_VERSION_STRING);
    if (operation.method == HttpMethod::post) {
        request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    }
    request.authorization = credentials.authorization();
    request.body = std::move(operation.body);
    return request;
}

/// What both drivers keep of a call: its machine, its reader, and what the observer is told.
class CallRecord {
public:
    CallRecord(const ClientCore& core, const Operation& operation, const CallOptions& options)
        : core_(core),
          name_(operation.name),
          origin_(operation.origin != nullptr ? *operation.origin : core.origin),
          verdict_(operation.verdict),
          started_(core.clock->monotonic_now()),
          machine_(make_plan(core, operation, options, started_), core.budget) {
        context_.deadline = machine_.deadline();
        context_.cancel = options.cancel;
        context_.max_response_bytes = core.max_response_bytes;
    }

    CallMachine& machine() noexcept { return machine_; }
    const CallContext& context() const noexcept { return context_; }

    CallStep start() { return machine_.start(started_); }
    void attempt_begins() { attempt_started_ = core_.clock->monotonic_now(); }

    /// The machine's verdict on an attempt's answer.
    CallStep judge(Result<HttpResponse> answer, const AnswerReader& read) {
        const auto now = core_.clock->monotonic_now();
        if (answer) keep_request_id(*answer);
        tell_attempt(answer ? answer->status : answer.error().http_status(), now);
        auto failure = examine(answer, read);
        if (!failure) return machine_.on_success();
        const auto error = located(*failure);
        const auto verdict = verdict_ ? verdict_(error, machine_.attempts()) : std::nullopt;
        const auto step = machine_.on_failure(error, now, core_.jitter(), verdict);
        if (step.action == CallStep::Action::wait) tell_retry(step.until - now);
        return step;
    }

    /// The end: tells the observer, gives the caller's result.
    std::optional<Error> finish(const CallStep& step) {
        std::optional<Error> error;
        if (step.action == CallStep::Action::fail) error = machine_.error();
        if (core_.observer) {
            ResultEvent event;
            event.operation = name_;
            event.attempts = machine_.attempts();
            event.request_id = request_id_;
            event.error = error ? &*error : nullptr;
            event.duration = std::chrono::duration_cast<std::chrono::microseconds>(
                core_.clock->monotonic_now() - started_);
            core_.observer->on_result(event);
        }
        return error;
    }

private:
    static CallMachine::Plan make_plan(const ClientCore& core, const Operation& operation,
                                       const CallOptions& options, MonotonicTime now) {
        CallMachine::Plan plan;
        plan.repeat = operation.repeat;
        plan.is_delete = operation.method == HttpMethod::delete_;
        plan.policy = core.retry;
        plan.deadline = deadline_of(core, options, now);
        plan.latest_attempt = plan.deadline;
        if (plan.repeat == Repeat::duplicates && plan.deadline != MonotonicTime::max()) {
            plan.latest_attempt -=
                std::min(core.retry.min_attempt_time,
                         std::chrono::floor<std::chrono::milliseconds>(plan.deadline - now) / 2);
        }
        if (core.rate_limiter && !operation.rate_key.empty()) {
            plan.rate_limiter = core.rate_limiter.get();
            plan.rate_key = operation.rate_key;
        }
        return plan;
    }

    std::optional<Error> examine(Result<HttpResponse>& answer, const AnswerReader& read) const {
        if (!answer) return answer.error();
        try {
            if (answer->status >= 200 && answer->status <= 299) return read(*answer);
            return api_error(*answer, core_.clock->now());
        } catch (const std::bad_alloc&) {
            answer->body = {};  // may be what took the memory
            return unreadable_answer(*answer, "there is not enough memory to read the answer");
        }
    }

    /// The same error with the host in it.
    Error located(const Error& error) const {
        if (!error.host().empty()) return error;
        return error.with([this](ErrorData& data) {
            data.host = origin_.host;
            data.port = origin_.port;
        });
    }

    void keep_request_id(const HttpResponse& answer) {
        if (core_.observer) request_id_ = plain_request_id(answer);
    }

    void tell_attempt(int status, MonotonicTime now) const {
        if (!core_.observer) return;
        AttemptEvent event;
        event.operation = name_;
        event.host = origin_.host;
        event.attempt = machine_.attempts();
        event.http_status = status;
        event.request_id = request_id_;
        event.duration =
            std::chrono::duration_cast<std::chrono::microseconds>(now - attempt_started_);
        core_.observer->on_attempt(event);
    }

    void tell_retry(MonotonicTime::duration delay) const {
        if (!core_.observer || machine_.last_failure() == nullptr) return;
        RetryEvent event;
        event.operation = name_;
        event.attempt = machine_.attempts();
        event.http_status = machine_.last_failure()->http_status();
        event.code = machine_.last_failure()->code();
        event.delay = std::chrono::duration_cast<std::chrono::milliseconds>(delay);
        core_.observer->on_retry(event);
    }

    const ClientCore& core_;
    std::string_view name_;
    const ApiOrigin& origin_;
    std::function<std::optional<RepeatVerdict>(const Error&, int)> verdict_;
    MonotonicTime started_;
    MonotonicTime attempt_started_ = {};
    CallMachine machine_;
    CallContext context_;
    std::string request_id_;
};

/// A transport promises not to throw; a mock may all the same, after who knows what.
Result<HttpResponse> send_guarded(HttpTransport& transport, const HttpRequest& request,
                                  const CallContext& context) {
    try {
        return transport.send(request, context);
    } catch (const TwilioError& error) {
        return error.error();
    } catch (...) {
        return Error::transport(Effect::unknown, Stage::send, "the transport threw an exception");
    }
}

/// An asynchronous call, kept alive by whatever will call it back.
class AsyncCall : public std::enable_shared_from_this<AsyncCall> {
public:
    AsyncCall(std::shared_ptr<const ClientCore> core, std::weak_ptr<HttpTransport> transport,
              const Credentials& credentials, Operation operation, CallOptions options,
              AnswerReader read, CallDone done)
        : core_(std::move(core)),
          transport_(std::move(transport)),
          options_(std::move(options)),
          record_(*core_, operation, options_),
          request_(make_request(operation, credentials)),
          read_(std::move(read)),
          done_(std::move(done)) {}

    void start() {
        registration_ = options_.cancel.on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->cancel_requested();
        });
        obey(options_.cancel.is_cancelled() ? record_.machine().cancel_wait() : record_.start(),
             true);
    }

private:
    using Action = CallStep::Action;

    /// @param initiating  still inside the caller's call, where nothing may complete
    void obey(const CallStep& step, bool initiating) {
        switch (step.action) {
            case Action::send:
                return send();
            case Action::wait:
                return wait(step.until);
            case Action::succeed:
            case Action::fail:
                if (!initiating) return finish(step);
                if (const auto transport = lock()) {
                    transport->call_at(core_->clock->monotonic_now(),
                                       [self = shared_from_this(), step] { self->finish(step); });
                }
        }
    }

    void send() {
        const auto transport = lock();
        if (!transport) return finish(record_.machine().cancel_wait());
        record_.attempt_begins();
        transport->async_send(
            request_, record_.context(), [self = shared_from_this()](Result<HttpResponse> answer) {
                self->obey(self->record_.judge(std::move(answer), self->read_), false);
            });
    }

    void wait(MonotonicTime until) {
        const auto transport = lock();
        if (!transport) return finish(record_.machine().cancel_wait());
        const auto turn = ++turn_;
        armed_.store(turn);
        const bool cancelled = options_.cancel.is_cancelled();
        transport->call_at(cancelled ? core_->clock->monotonic_now() : until,
                           [self = shared_from_this(), turn] { self->wake(turn); });
    }

    void cancel_requested() {
        const auto turn = armed_.load();
        if (turn == 0) return;
        if (const auto transport = lock()) {
            transport->call_at(core_->clock->monotonic_now(),
                               [self = shared_from_this(), turn] { self->wake(turn); });
        }
    }

    /// The timer or the cancellation, whichever comes first.
    void wake(unsigned turn) {
        if (!armed_.compare_exchange_strong(turn, 0)) return;
        if (options_.cancel.is_cancelled() || transport_.expired()) {
            return finish(record_.machine().cancel_wait());
        }
        obey(record_.machine().resume(core_->clock->monotonic_now()), false);
    }

    void finish(const CallStep& step) {
        auto error = record_.finish(step);
        if (core_->executor) {
            core_->executor([done = std::move(done_), error = std::move(error)]() mutable {
                done(std::move(error));
            });
        } else {
            std::exchange(done_, nullptr)(std::move(error));
        }
    }

    std::shared_ptr<AsyncHttpTransport> lock() const {
        return std::static_pointer_cast<AsyncHttpTransport>(transport_.lock());
    }

    std::shared_ptr<const ClientCore> core_;
    std::weak_ptr<HttpTransport> transport_;
    CallOptions options_;
    CallRecord record_;
    HttpRequest request_;
    AnswerReader read_;
    CallDone done_;
    std::atomic<unsigned> armed_{0};
    unsigned turn_ = 0;
    CancelRegistration registration_;
};

}  // namespace

std::optional<Error> run_blocking(const ClientCore& core, HttpTransport& transport,
                                  const Credentials& credentials, Operation operation,
                                  const CallOptions& options, const AnswerReader& read) {
    CallRecord call(core, operation, options);
    const auto request = make_request(operation, credentials);
    auto step = options.cancel.is_cancelled() ? call.machine().cancel_wait() : call.start();
    for (;;) {
        if (step.action == CallStep::Action::send) {
            call.attempt_begins();
            step = call.judge(send_guarded(transport, request, call.context()), read);
        } else if (step.action == CallStep::Action::wait) {
            core.clock->sleep_until(step.until, options.cancel);
            step = options.cancel.is_cancelled()
                       ? call.machine().cancel_wait()
                       : call.machine().resume(core.clock->monotonic_now());
        } else {
            return call.finish(step);
        }
    }
}

Error transport_is_not_asynchronous() {
    return Error::invalid_request("transport", "is not asynchronous",
                                  "give the client an AsyncHttpTransport");
}

void run_async(std::shared_ptr<const ClientCore> core,
               const std::shared_ptr<HttpTransport>& transport, const Credentials& credentials,
               Operation operation, CallOptions options, AnswerReader read, CallDone done) {
    if (dynamic_cast<AsyncHttpTransport*>(transport.get()) == nullptr) {
        const auto error = transport_is_not_asynchronous();
        core->tell_refused(operation.name, error);
        return done(error);
    }
    std::make_shared<AsyncCall>(std::move(core), transport, credentials, std::move(operation),
                                std::move(options), std::move(read), std::move(done))
        ->start();
}

void complete_known(const ClientCore& core, const std::shared_ptr<HttpTransport>& transport,
                    std::function<void()> done) {
    auto* const async = dynamic_cast<AsyncHttpTransport*>(transport.get());
    if (async == nullptr) return done();
    auto task = [executor = core.executor, done = std::move(done)] {
        if (executor) {
            executor(done);
        } else {
            done();
        }
    };
    async->call_at(core.clock->monotonic_now(), std::move(task));
}

}  // namespace twiliowa::detail
