/// @file
/// A transport that answers what a test wrote down.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/http/http_transport.hpp>

namespace twiliowa::testing {

/// Answers requests from a script, in order, and keeps the requests. Works for blocking and
/// asynchronous calls; asynchronous completions and timers run in `run_until_idle()`, in the order
/// of their times, without waiting. Thread-safe.
class TWILIOWA_EXPORT ScriptedTransport final : public AsyncHttpTransport {
public:
    using Step = std::function<Result<HttpResponse>(const HttpRequest&, const CallContext&)>;

    ScriptedTransport();
    ScriptedTransport(const ScriptedTransport&) = delete;
    ScriptedTransport& operator=(const ScriptedTransport&) = delete;
    ~ScriptedTransport() override;

    /// The next answers. A request beyond the script gets a transport error, effect none.
    ScriptedTransport& respond(int status, std::string body = {}, HttpHeaders headers = {});
    ScriptedTransport& fail(Error error);
    ScriptedTransport& then(Step step);

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override;
    void async_send(HttpRequest request, CallContext context, Completion done) override;
    void call_at(MonotonicTime when, std::function<void()> task) override;

    /// Runs what is pending, and what that starts, until nothing is left. Timers run at once, in
    /// order; give the client's ManualClock as `clock` to have it moved to each timer's time.
    /// Returns how many ran.
    std::size_t run_until_idle(Clock* clock = nullptr);

    std::vector<HttpRequest> requests() const;
    std::size_t request_count() const;
    /// Answers not yet asked for.
    std::size_t remaining() const;

private:
    struct Pending;
    Step take_step(const HttpRequest& request);
    void push(MonotonicTime when, std::function<void()> task);

    mutable std::mutex mutex_;
    std::deque<Step> script_;
    std::vector<HttpRequest> requests_;
    std::unique_ptr<Pending> pending_;
    bool closing_ = false;
};

}  // namespace twiliowa::testing
