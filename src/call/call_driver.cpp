#include "call/call_driver.hpp"

#include <algorithm>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

#include <twiliowa/version.hpp>

#include "call/api_error.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

HttpRequest make_request(Operation& operation, const Credentials& credentials) {
    HttpRequest request;
    request.method = operation.kind.method;
    request.url = std::move(operation.url);
    request.headers.reserve(3);
    request.headers.emplace_back("Accept", "application/json");
    request.headers.emplace_back("User-Agent", "twiliowa/" TWILIOWA_VERSION_STRING);
    if (operation.is_json) {
        request.headers.emplace_back("Content-Type", "application/json");
    } else if (operation.kind.method == HttpMethod::post) {
        request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    }
    request.authorization = credentials.authorization();
    request.body = std::move(operation.body);
    return request;
}

/// What both drivers keep of a call: its machine, and what the observer is told.
class CallRecord {
public:
    CallRecord(const ClientCore& core, const Credentials& credentials, const Operation& operation,
               const CallOptions& options)
        : core_(core),
          events_(core, operation.kind, credentials.account_sid().str(), options.correlation_id,
                  operation.begun),
          origin_(core.origin_of(operation.kind.product)),
          verdict_(operation.verdict),
          started_(core.clock->monotonic_now()),
          told_(operation.begun.id == 0 ? started_ : operation.begun.at),
          machine_(make_plan(core, operation, options, started_), core.budget) {
        context_.deadline = machine_.deadline();
        context_.cancel = options.cancel;
        context_.max_response_bytes = core.max_response_bytes;
    }

    /// Whose call it is where others wait with it. A blocking one waits for none.
    void wait_as(FairnessKey key) noexcept { context_.fairness_key = key.hash(); }
    CallMachine& machine() noexcept { return machine_; }
    const CallContext& context() const noexcept { return context_; }

    /// In the thread of the caller.
    CallStep start(const CancelToken& cancel) {
        events_.tell_call();
        return cancel.is_cancelled() ? machine_.cancel_wait() : machine_.start(started_);
    }
    void attempt_begins() { attempt_started_ = core_.clock->monotonic_now(); }

    /// The machine's verdict on an attempt's answer.
    CallStep judge(Result<HttpResponse> answer, const AnswerReader& read) {
        const auto now = core_.clock->monotonic_now();
        if (answer && events_.are_wanted()) request_id_ = plain_request_id(*answer);
        auto failure = examine(answer, read);
        if (failure) failure = located(*failure);
        events_.tell_attempt(machine_.attempts(),
                             answer ? answer->status : answer.error().http_status(), request_id_,
                             failure ? &*failure : nullptr, now - attempt_started_,
                             machine_.slot_wait());
        if (!failure) return machine_.on_success();
        const auto verdict = verdict_ ? verdict_(*failure, machine_.attempts()) : std::nullopt;
        const auto step = machine_.on_failure(*failure, now, core_.jitter(), verdict);
        if (step.action == CallStep::Action::wait) {
            events_.tell_retry(machine_.attempts(), *failure, step.until - now);
        }
        return step;
    }

    /// The end: tells the observer, gives the caller's result.
    std::optional<Error> finish(const CallStep& step) {
        std::optional<Error> error;
        if (step.action == CallStep::Action::fail) error = machine_.error();
        events_.tell_result(machine_.attempts(), request_id_, error ? &*error : nullptr,
                            core_.clock->monotonic_now() - told_);
        return error;
    }

private:
    static CallMachine::Plan make_plan(const ClientCore& core, const Operation& operation,
                                       const CallOptions& options, MonotonicTime now) {
        CallMachine::Plan plan;
        plan.repeat = operation.repeat;
        plan.is_delete = operation.kind.method == HttpMethod::delete_;
        plan.policy = core.retry;
        plan.deadline = deadline_of(core, options, now);
        plan.latest_attempt = plan.deadline;
        if (plan.repeat == Repeat::duplicates && plan.deadline != MonotonicTime::max()) {
            plan.latest_attempt -=
                std::min(core.retry.min_attempt_time,
                         std::chrono::floor<std::chrono::milliseconds>(plan.deadline - now) / 2);
        }
        if (core.rate_limiter && !options.slot_held && !operation.rate_key.empty()) {
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

    const ClientCore& core_;
    CallEvents events_;
    const ApiOrigin& origin_;
    std::function<std::optional<RepeatVerdict>(const Error&, int)> verdict_;
    MonotonicTime started_;
    MonotonicTime told_;  ///< When the observer was told of it.
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

/// What a caller said of a call that cannot be.
std::optional<Error> wrong_call_options(const CallOptions& options) {
    const auto& id = options.correlation_id;
    if (!id.fits()) {
        return Error::invalid_request("correlation_id", "is longer than 64 bytes");
    }
    const auto text = id.text();
    const bool is_plain = std::none_of(text.begin(), text.end(),
                                       [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    if (is_plain) return std::nullopt;
    return Error::invalid_request("correlation_id", "holds a control character");
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
          record_(*core_, credentials, operation, options_),
          request_(make_request(operation, credentials)),
          read_(std::move(read)),
          done_(std::move(done)) {
        const auto chosen = options_.fairness_key;
        record_.wait_as(chosen.empty() ? FairnessKey{credentials.account_sid().str()} : chosen);
    }

    void start() {
        registration_ = options_.cancel.on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->cancel_requested();
        });
        obey(record_.start(options_.cancel), true);
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
    if (auto wrong = wrong_call_options(options)) {
        tell_refused(core, operation.kind, credentials.account_sid().str(), options.correlation_id,
                     *wrong, operation.begun);
        return wrong;
    }
    CallRecord call(core, credentials, operation, options);
    const auto request = make_request(operation, credentials);
    auto step = call.start(options.cancel);
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
        tell_refused(*core, operation.kind, credentials.account_sid().str(), options.correlation_id,
                     error, operation.begun);
        return done(error);
    }
    if (const auto wrong = wrong_call_options(options)) {
        tell_refused(*core, operation.kind, credentials.account_sid().str(), options.correlation_id,
                     *wrong, operation.begun);
        return complete_known(*core, transport,
                              [done = std::move(done), error = *wrong] { done(error); });
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
