#include <twiliowa/testing/scripted_transport.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "testing/response_delivery.hpp"

namespace twiliowa::testing {

namespace {

Result<HttpResponse> script_is_over(const HttpRequest&, const CallContext&) {
    return Error::transport(Effect::none, Stage::connect, "the script holds no further answer");
}

Result<HttpResponse> run_scripted_step(const ScriptedTransport::Step& step,
                                       const HttpRequest& request, const CallContext& context) {
    if (context.cancel.is_cancelled()) return detail::test_transport_cancelled();
    auto answer = step(request, context);
    if (!answer) return answer;
    return detail::deliver_test_response(std::move(answer).value(), context);
}

}  // namespace

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
        done(closing ? Result<HttpResponse>{detail::test_transport_cancelled()}
                     : run_scripted_step(step, request, context));
    });
}

void ScriptedTransport::call_at(MonotonicTime when, std::function<void()> task) {
    push(when, std::move(task));
}

std::size_t ScriptedTransport::run_until_idle(Clock* clock) {
    for (std::size_t ran = 0;; ++ran) {
        std::optional<Pending> next;
        {
            const std::lock_guard lock{mutex_};
            const auto first = std::min_element(
                pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
                    return std::tie(a.when, a.order) < std::tie(b.when, b.order);
                });
            if (first == pending_.end()) return ran;
            next = std::move(*first);
            pending_.erase(first);
        }
        if (clock != nullptr) clock->sleep_until(next->when, {});
        next->task();
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
    pending_.push_back({when, order_++, std::move(task)});
}

}  // namespace twiliowa::testing
