#include "runner.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace emulator {

namespace {

constexpr std::size_t max_answer_bytes = 256 * 1024;
constexpr std::size_t max_transports = 8;
constexpr std::chrono::milliseconds usual_connect_timeout{5'000};  // Twilio's

twiliowa::CurlOptions delivery_options(std::chrono::milliseconds connect_timeout) {
    twiliowa::CurlOptions options;
    options.connect_timeout = connect_timeout;
    options.proxy = "none";
    return options;
}

/// Where to go: a user and password in the URL are for challenges only, which the fake answers.
std::string url_without_login(const twiliowa::WebhookRequest& request) {
    return request.scheme + "://" + std::string{twiliowa::find_header(request.headers, "Host")} +
           request.target;
}

/// The connection counts as reading: how long it took is not known.
std::chrono::milliseconds longest_wait(const twiliowa::testing::FakeWebhook& webhook) {
    return std::min(webhook.total_timeout, webhook.read_timeout);
}

twiliowa::HttpMethod method_of(const twiliowa::WebhookRequest& request) {
    return request.method == "GET" ? twiliowa::HttpMethod::get : twiliowa::HttpMethod::post;
}

}  // namespace

Runner::Runner(std::shared_ptr<twiliowa::testing::FakeTwilio> fake,
               std::shared_ptr<ScaledClock> clock)
    : fake_(std::move(fake)), clock_(std::move(clock)) {
    transport_for(usual_connect_timeout);
    fake_->on_work([this] { wake(); });
    fake_->on_webhook_async(
        [this](const auto& webhook, auto done) { deliver(webhook, std::move(done)); });
    thread_ = std::thread([this] { run(); });
}

Runner::~Runner() {
    fake_->on_work({});
    fake_->on_webhook_async({});
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    work_.notify_all();
    thread_.join();
    transports_.clear();
}

void Runner::advance(std::chrono::nanoseconds by) {
    {
        const std::lock_guard lock(stepping_);
        fake_->advance(by);
    }
    wake();
}

void Runner::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    work_.notify_all();
}

void Runner::run() {
    while (true) {
        const auto next = [this] {
            const std::lock_guard lock(stepping_);
            return fake_->run_due();
        }();
        const auto wait =
            next ? clock_->real_time_until(*next) : std::chrono::nanoseconds{std::chrono::hours{1}};
        std::unique_lock lock(mutex_);
        work_.wait_for(lock, wait, [this] { return woken_ || stopping_; });
        if (stopping_) return;
        woken_ = false;
    }
}

twiliowa::CurlTransport& Runner::transport_for(std::chrono::milliseconds connect_timeout) {
    const auto found = transports_.find(connect_timeout);
    if (found != transports_.end()) return *found->second;
    if (transports_.size() >= max_transports) return transport_for(usual_connect_timeout);
    auto added = std::make_unique<twiliowa::CurlTransport>(delivery_options(connect_timeout));
    return *transports_.emplace(connect_timeout, std::move(added)).first->second;
}

void Runner::deliver(const twiliowa::testing::FakeWebhook& webhook,
                     std::function<void(twiliowa::Result<twiliowa::WebhookResponse>)> done) {
    twiliowa::HttpRequest request;
    request.method = method_of(webhook.request);
    request.url = url_without_login(webhook.request);
    request.headers = webhook.request.headers;
    request.body = webhook.request.body;
    twiliowa::CallContext context;
    context.deadline = std::chrono::steady_clock::now() + longest_wait(webhook);
    context.max_response_bytes = max_answer_bytes;
    transport_for(webhook.connect_timeout)
        .async_send(std::move(request), std::move(context),
                    [done = std::move(done)](twiliowa::Result<twiliowa::HttpResponse> got) {
                        if (!got) return done(got.error());
                        done(twiliowa::WebhookResponse{got->status, got->headers, got->body});
                    });
}

}  // namespace emulator
