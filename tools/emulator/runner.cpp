#include "runner.hpp"

#include <chrono>
#include <utility>

namespace emulator {

namespace {

constexpr std::size_t max_answer_bytes = 256 * 1024;

twiliowa::CurlOptions delivery_options() {
    twiliowa::CurlOptions options;
    options.connect_timeout = std::chrono::seconds{5};  // Twilio's
    options.proxy = "none";
    return options;
}

twiliowa::HttpMethod method_of(const twiliowa::WebhookRequest& request) {
    return request.method == "GET" ? twiliowa::HttpMethod::get : twiliowa::HttpMethod::post;
}

}  // namespace

Runner::Runner(std::shared_ptr<twiliowa::testing::FakeTwilio> fake,
               std::shared_ptr<ScaledClock> clock)
    : fake_(std::move(fake)),
      clock_(std::move(clock)),
      transport_(std::make_unique<twiliowa::CurlTransport>(delivery_options())) {
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
    transport_.reset();
}

void Runner::advance(std::chrono::nanoseconds by) {
    clock_->advance(by);
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
        const auto next = fake_->run_due();
        const auto wait =
            next ? clock_->real_time_until(*next) : std::chrono::nanoseconds{std::chrono::hours{1}};
        std::unique_lock lock(mutex_);
        work_.wait_for(lock, wait, [this] { return woken_ || stopping_; });
        if (stopping_) return;
        woken_ = false;
    }
}

void Runner::deliver(const twiliowa::testing::FakeWebhook& webhook,
                     std::function<void(twiliowa::Result<twiliowa::WebhookResponse>)> done) {
    twiliowa::HttpRequest request;
    request.method = method_of(webhook.request);
    request.url = webhook.url;
    request.headers = webhook.request.headers;
    request.body = webhook.request.body;
    twiliowa::CallContext context;
    context.deadline = std::chrono::steady_clock::now() + webhook.total_timeout;
    context.max_response_bytes = max_answer_bytes;
    transport_->async_send(
        std::move(request), std::move(context),
        [done = std::move(done)](twiliowa::Result<twiliowa::HttpResponse> got) {
            if (!got) return done(got.error());
            done(twiliowa::WebhookResponse{got->status, got->headers, got->body});
        });
}

}  // namespace emulator
