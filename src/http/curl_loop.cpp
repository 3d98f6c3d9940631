#include "http/curl_loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "http/header_check.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

/// What libcurl puts on an HTTP/2 connection before it has the server's settings. It opens further
/// connections for the rest.
constexpr std::size_t first_streams = 100;
constexpr std::size_t most_streams = 1000;  // of one HTTP/2 connection, if the server allows that

}  // namespace

CurlLoop::CurlLoop(std::shared_ptr<const CurlSettings> settings) : settings_(std::move(settings)) {
    const long connections = settings_->options.max_connections;
    curl_multi_setopt(sockets_.multi(), CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(sockets_.multi(), CURLMOPT_MAXCONNECTS, connections);
    curl_multi_setopt(sockets_.multi(), CURLMOPT_MAX_CONCURRENT_STREAMS,
                      static_cast<long>(most_streams));
    curl_multi_setopt(sockets_.multi(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
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
    bool wakes = false;
    {
        const std::lock_guard lock(mutex_);
        change(inbox_);
        wakes = std::exchange(asleep_, false);
    }
    if (wakes) sockets_.wake();
}

void CurlLoop::submit(HttpRequest request, CallContext context, Completion done) {
    auto job = std::make_unique<Job>();
    job->id = next_id_++;
    job->request = std::move(request);
    job->context = std::move(context);
    job->done = std::move(done);
    const auto& cancel = job->context.cancel;
    if (cancel.can_be_cancelled()) {
        job->registration = cancel.on_cancel([weak = weak_from_this(), id = job->id] {
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
        sockets_.wait(next_wake_up());
        reap();
        take_inbox();  // with what the completions asked for
        run_timers();
        if (!deadlines_.empty()) run_deadlines();
        sockets_.run_due();
        reap();
    }
    finish_everything();
}

void CurlLoop::take_inbox() {
    Inbox taken;
    {
        const std::lock_guard lock(mutex_);
        asleep_ = false;
        std::swap(taken, inbox_);
    }
    stopping_ = stopping_ || taken.stop;
    for (auto& timer : taken.timers) {
        timers_.push_back(std::move(timer));
        std::push_heap(timers_.begin(), timers_.end(), Later{});
    }
    for (auto& job : taken.jobs) accept(std::move(job));
    for (const auto id : taken.cancelled) cancel(id);
}

void CurlLoop::accept(std::unique_ptr<Job> job) {
    if (stopping_)
        return complete(*job, unsent_error(ErrorKind::cancelled, "the transport was destroyed"));
    if (auto wrong = wrong_header(job->request)) return complete(*job, std::move(*wrong));
    if (job->context.cancel.is_cancelled()) {
        prepare(*job);
        return complete(*job, job->exchange->cancelled());
    }
    auto& host = host_of(job->request);
    job->host = &host;
    if (job->context.cancel.can_be_cancelled()) cancellable_.emplace(job->id, job.get());
    if (host.running < host.most) return begin(std::move(job));
    if (job->context.deadline != MonotonicTime::max()) {
        deadlines_.emplace(job->context.deadline, job.get());
    }
    const auto key = job->context.fairness_key;
    const auto id = job->id;
    host.waiting.add(key, id, std::move(job));
}

CurlLoop::Host& CurlLoop::host_of(const HttpRequest& request) {
    const auto& url = request.url;
    const auto scheme = url.find("://");
    const auto path = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
    const auto [found, is_new] = hosts_.try_emplace(url.substr(0, path));
    auto& host = found->second;
    if (is_new) {
        host.origin = found->first;
        host.most = static_cast<std::size_t>(settings_->options.max_connections);
        host.most_once_answered = host.most;
        if (may_share_connection(request)) {
            host.most = first_streams;
            host.most_once_answered = std::max(host.most_once_answered, most_streams);
        }
    }
    return host;
}

/// Over TLS the handshake tells at once whether a connection can be shared. Without it only the
/// first answer tells, which may never come.
bool CurlLoop::may_share_connection(const HttpRequest& request) const {
    return settings_->options.http2 && request.url.starts_with("https://");
}

void CurlLoop::begin(std::unique_ptr<Job> job) {
    prepare(*job);
    CURL* const easy = job->exchange->easy();
    ++job->host->running;
    job->exchange->begin(sockets_.multi());
    running_.emplace(easy, std::move(job));
}

void CurlLoop::prepare(Job& job) {
    if (spare_.empty()) {
        job.exchange = std::make_unique<CurlExchange>(*settings_);
    } else {
        job.exchange = std::move(spare_.back());
        spare_.pop_back();
    }
    job.exchange->prepare(job.request, job.context, std::chrono::steady_clock::now(),
                          may_share_connection(job.request));
}

void CurlLoop::end_waiting(Job& job) {
    cancellable_.erase(job.id);
    deadlines_.erase({job.context.deadline, &job});
    prepare(job);  // for what it says of its end
}

std::unique_ptr<CurlLoop::Job> CurlLoop::detach(Job& job) {
    auto& host = *job.host;
    if (!job.exchange) {
        auto taken = host.waiting.take(job.context.fairness_key, job.id);
        end_waiting(*taken);
        return taken;
    }
    cancellable_.erase(job.id);
    CURL* const easy = job.exchange->easy();
    curl_multi_remove_handle(sockets_.multi(), easy);
    auto taken = std::move(running_.extract(easy).mapped());
    leave(host);
    return taken;
}

void CurlLoop::leave(Host& host) {
    --host.running;
    if (stopping_) return;
    if (host.waiting.empty()) {
        if (host.running == 0) hosts_.erase(host.origin);
        return;
    }
    while (host.running < host.most && !host.waiting.empty()) {
        auto next = host.waiting.take_next();
        deadlines_.erase({next->context.deadline, next.get()});
        begin(std::move(next));
    }
}

void CurlLoop::cancel(std::uint64_t id) {
    const auto found = cancellable_.find(id);
    if (found == cancellable_.end()) return;
    const auto job = detach(*found->second);
    complete(*job, job->exchange->cancelled());
}

void CurlLoop::run_deadlines() {
    const auto now = std::chrono::steady_clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto job = detach(*deadlines_.begin()->second);
        complete(*job, job->exchange->finish(CURLE_OPERATION_TIMEDOUT));
    }
}

void CurlLoop::reap() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(sockets_.multi(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const auto code = message->data.result;
        const auto running = running_.find(message->easy_handle);
        if (running == running_.end()) continue;
        auto result = running->second->exchange->finish(code);
        if (code == CURLE_OK) {
            auto& host = *running->second->host;
            host.most = host.most_once_answered;
        }
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

void CurlLoop::run_timers() {
    if (timers_.empty()) return;
    const auto now = stopping_ ? MonotonicTime::max() : std::chrono::steady_clock::now();
    while (!timers_.empty() && timers_.front().when <= now) {
        std::pop_heap(timers_.begin(), timers_.end(), Later{});
        const auto timer = std::move(timers_.back());
        timers_.pop_back();
        timer.task();
    }
}

MonotonicTime CurlLoop::next_wake_up() {
    const std::lock_guard lock(mutex_);
    if (!inbox_.empty()) return MonotonicTime::min();
    asleep_ = true;
    auto next = timers_.empty() ? MonotonicTime::max() : timers_.front().when;
    if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
    return next;
}

void CurlLoop::finish_everything() {
    const auto inbox_is_empty = [this] {
        const std::lock_guard lock(mutex_);
        return inbox_.jobs.empty() && inbox_.timers.empty();
    };
    while (!hosts_.empty() || !timers_.empty() || !inbox_is_empty()) {
        take_inbox();
        run_timers();
        while (!running_.empty()) {
            const auto job = detach(*running_.begin()->second);
            complete(*job, job->exchange->cancelled());
        }
        while (!hosts_.empty()) {
            const auto host = hosts_.begin();
            if (host->second.waiting.empty()) {
                hosts_.erase(host);
                continue;
            }
            const auto job = host->second.waiting.take_next();
            end_waiting(*job);
            complete(*job, job->exchange->cancelled());
        }
    }
}

}  // namespace twiliowa::detail
