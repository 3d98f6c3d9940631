#include "http/curl_loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace twiliowa::detail {

namespace {

constexpr long max_streams = 1000;  // of one HTTP/2 connection, if the server allows so many
constexpr int longest_poll_ms = 60'000;

Error transport_destroyed() {
    ErrorData data;
    data.kind = ErrorKind::cancelled;
    data.effect = Effect::none;
    data.stage = Stage::prepare;
    data.summary = "the transport was destroyed";
    return Error{std::move(data)};
}

}  // namespace

CurlLoop::CurlLoop(std::shared_ptr<const CurlSettings> settings)
    : settings_(std::move(settings)), multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    const long connections = settings_->options.max_connections;
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_CONCURRENT_STREAMS, max_streams);
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
}

void CurlLoop::start() {
    thread_ = std::thread([self = shared_from_this()] { self->run(); });
}

void CurlLoop::stop() {
    post([](Inbox& inbox) { inbox.stop = true; });
    if (thread_.get_id() == std::this_thread::get_id()) {
        thread_.detach();
    } else if (thread_.joinable()) {
        thread_.join();
    }
}

template <class Change>
void CurlLoop::post(Change change) {
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        was_empty = inbox_.empty();
        change(inbox_);
    }
    if (was_empty) curl_multi_wakeup(multi_.get());
}

void CurlLoop::submit(HttpRequest request, CallContext context, Completion done) {
    auto job = std::make_unique<Job>();
    job->request = std::move(request);
    job->context = std::move(context);
    job->done = std::move(done);
    const auto cancel = job->context.cancel;
    std::uint64_t id = 0;
    if (cancel.can_be_cancelled()) {
        {
            const std::lock_guard lock(mutex_);
            id = next_id_++;
        }
        job->id = id;
        job->registration = cancel.on_cancel([weak = weak_from_this(), id] {
            if (const auto self = weak.lock()) {
                self->post([id](Inbox& inbox) { inbox.cancelled.push_back(id); });
            }
        });
    }
    post([&job](Inbox& inbox) { inbox.jobs.push_back(std::move(job)); });
}

void CurlLoop::call_at(MonotonicTime when, std::function<void()> task) {
    post([&](Inbox& inbox) { inbox.timers.push_back({when, next_id_++, std::move(task)}); });
}

void CurlLoop::run() noexcept {
    while (!stopping_) {
        take_inbox();
        run_timers(std::chrono::steady_clock::now());
        if (stopping_) break;
        int running = 0;
        curl_multi_perform(multi_.get(), &running);
        reap();
        curl_multi_poll(multi_.get(), nullptr, 0, poll_timeout(), nullptr);
    }
    finish_everything();
}

void CurlLoop::take_inbox() {
    Inbox taken;
    {
        const std::lock_guard lock(mutex_);
        std::swap(taken, inbox_);
    }
    stopping_ = stopping_ || taken.stop;
    for (auto& timer : taken.timers) {
        timers_.push_back(std::move(timer));
        std::push_heap(timers_.begin(), timers_.end(), Later{});
    }
    for (auto& job : taken.jobs) begin(std::move(job));
    for (const auto id : taken.cancelled) cancel(id);
}

void CurlLoop::begin(std::unique_ptr<Job> job) {
    if (spare_.empty()) {
        job->exchange = std::make_unique<CurlExchange>(*settings_);
    } else {
        job->exchange = std::move(spare_.back());
        spare_.pop_back();
    }
    auto& exchange = *job->exchange;
    // Over TLS the handshake tells at once whether a connection can be shared. Without it only the
    // first answer tells, which may never come.
    const bool may_share = settings_->options.http2 && job->request.url.starts_with("https://");
    exchange.prepare(job->request, job->context, std::chrono::steady_clock::now(), may_share);
    if (job->context.cancel.is_cancelled() || stopping_) {
        auto error = stopping_ ? transport_destroyed() : exchange.cancelled();
        return complete(*job, std::move(error));
    }
    if (job->id != 0) cancellable_.emplace(job->id, exchange.easy());
    curl_multi_add_handle(multi_.get(), exchange.easy());
    running_.emplace(exchange.easy(), std::move(job));
}

std::unique_ptr<CurlLoop::Job> CurlLoop::detach(Job& job) {
    CURL* const easy = job.exchange->easy();
    curl_multi_remove_handle(multi_.get(), easy);
    if (job.id != 0) cancellable_.erase(job.id);
    auto node = running_.extract(easy);
    return std::move(node.mapped());
}

void CurlLoop::cancel(std::uint64_t id) {
    const auto found = cancellable_.find(id);
    if (found == cancellable_.end()) return;
    const auto job = detach(*running_.at(found->second));
    complete(*job, job->exchange->cancelled());
}

void CurlLoop::reap() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const auto code = message->data.result;
        const auto running = running_.find(message->easy_handle);
        if (running == running_.end()) continue;
        auto result = running->second->exchange->finish(code);
        const auto job = detach(*running->second);
        // One that saw an error is not used again.
        if (code == CURLE_OK) spare_.push_back(std::move(job->exchange));
        complete(*job, std::move(result));
    }
}

void CurlLoop::complete(Job& job, Result<HttpResponse> result) noexcept {
    job.registration.reset();
    job.done(std::move(result));
}

void CurlLoop::run_timers(MonotonicTime now) {
    while (!timers_.empty() && (timers_.front().when <= now || stopping_)) {
        std::pop_heap(timers_.begin(), timers_.end(), Later{});
        const auto timer = std::move(timers_.back());
        timers_.pop_back();
        timer.task();
    }
}

int CurlLoop::poll_timeout() const {
    if (timers_.empty()) return longest_poll_ms;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        timers_.front().when - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, longest_poll_ms));
}

void CurlLoop::finish_everything() {
    const auto inbox_is_empty = [this] {
        const std::lock_guard lock(mutex_);
        return inbox_.jobs.empty() && inbox_.timers.empty();
    };
    while (!running_.empty() || !timers_.empty() || !inbox_is_empty()) {
        take_inbox();
        run_timers(MonotonicTime::max());
        while (!running_.empty()) {
            const auto job = detach(*running_.begin()->second);
            complete(*job, job->exchange->cancelled());
        }
    }
}

}  // namespace twiliowa::detail
