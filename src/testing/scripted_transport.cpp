#include <twiliowa/testing/scripted_transport.hpp>

#include <optional>
#include <utility>

#include "testing/response_delivery.hpp"
#include "testing/timed_queue.hpp"

namespace twiliowa::testing {

namespace {

Result<HttpResponse> script_is_over(const HttpRequest&, const CallContext&) {
    return Error::transport(Effect::none, Stage::connect, "the script holds no further answer");
}

Result<HttpResponse> run_scripted_step(const ScriptedTransport::Step& step,
                                       const HttpRequest& request, const CallContext& context) {
    if (context.cancel.is_cancelled()) return shared::cancelled_before_start();
    auto answer = step(request, context);
    if (!answer) return answer;
    return shared::deliver_response(std::move(answer).value(), context);
}

}  // namespace

struct ScriptedTransport::Pending : shared::TimedQueue<std::function<void()>> {};

ScriptedTransport::ScriptedTransport() : pending_(std::make_unique<Pending>()) {}

ScriptedTransport::~ScriptedTransport() {
    {
        const std::lock_guard lock{mutex_};
        closing_ = true;
    }
    run_until_idle();
}

ScriptedTransport& ScriptedTransport::respond(int status, std::string body, HttpHeaders headers) {
    return then([response = HttpResponse{status, std::move(headers), std::move(body)}](
                    const HttpRequest&, const CallContext&) { return response; });
}

ScriptedTransport& ScriptedTransport::fail(Error error) {
    return then([error = std::move(error)](const HttpRequest&, const CallContext&) {
        return Result<HttpResponse>{error};
    });
}

ScriptedTransport& ScriptedTransport::then(Step step) {
    const std::lock_guard lock{mutex_};
    script_.push_back(std::move(step));
    return *this;
}

ScriptedTransport::Step ScriptedTransport::take_step(const HttpRequest& request) {
    const std::lock_guard lock{mutex_};
    requests_.push_back(request);
    if (script_.empty()) return script_is_over;
    Step step = std::move(script_.front());
    script_.pop_front();
    return step;
}

Result<HttpResponse> ScriptedTransport::send(const HttpRequest& request,
                                             const CallContext& context) {
    return run_scripted_step(take_step(request), request, context);
}

void ScriptedTransport::async_send(HttpRequest request, CallContext context, Completion done) {
    Step step = take_step(request);
    // Before any timer: the answer is there already, a timer's time may be yet to come.
    push(MonotonicTime::min(), [this, step = std::move(step), request = std::move(request),
                                context = std::move(context), done = std::move(done)] {
        const bool closing = [this] {
            const std::lock_guard lock{mutex_};
            return closing_;
        }();
        done(closing ? Result<HttpResponse>{shared::cancelled_before_start()}
                     : run_scripted_step(step, request, context));
    });
}

void ScriptedTransport::call_at(MonotonicTime when, std::function<void()> task) {
    push(when, std::move(task));
}

std::size_t ScriptedTransport::run_until_idle(Clock* clock) {
    for (std::size_t ran = 0;; ++ran) {
        auto next = [this] {
            const std::lock_guard lock{mutex_};
            return pending_->pop();
        }();
        if (!next) return ran;
        if (clock != nullptr) clock->sleep_until(next->when, {});
        next->item();
    }
}

std::vector<HttpRequest> ScriptedTransport::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

std::size_t ScriptedTransport::request_count() const {
    const std::lock_guard lock{mutex_};
    return requests_.size();
}

std::size_t ScriptedTransport::remaining() const {
    const std::lock_guard lock{mutex_};
    return script_.size();
}

void ScriptedTransport::push(MonotonicTime when, std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    pending_->push(when, std::move(task));
}

}  // namespace twiliowa::testing
