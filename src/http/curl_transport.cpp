#include <twiliowa/http/curl_transport.hpp>

#include <chrono>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "http/curl_loop.hpp"
#include "http/header_check.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
/// A line for blocking calls: a handle and the multi handle that keeps its connection.
struct CurlLine {
    explicit CurlLine(const CurlSettings& settings) : multi(curl_multi_init()), exchange(settings) {
        if (!multi) throw std::bad_alloc();
    }
    CurlMulti multi;  // destroyed after the exchange
    CurlExchange exchange;
    MonotonicTime last_used = {};
};

namespace {

/// Runs the exchange in this thread until libcurl is done, or the call is cancelled.
Result<HttpResponse> run_exchange(CurlLine& line, const CallContext& context, bool& reusable) {
    CURLM* const multi = line.multi.get();
    CURL* const easy = line.exchange.easy();
    line.exchange.begin(multi);
    const auto registration = context.cancel.on_cancel([multi] { curl_multi_wakeup(multi); });
    for (;;) {
        int running = 0;
        curl_multi_perform(multi, &running);
        int left = 0;
        const CURLMsg* const message = curl_multi_info_read(multi, &left);
        if (message != nullptr && message->msg == CURLMSG_DONE) {
            const auto code = message->data.result;
            auto result = line.exchange.finish(code);
            curl_multi_remove_handle(multi, easy);
            reusable = code == CURLE_OK;
            return result;
        }
        if (context.cancel.is_cancelled()) {
            auto error = line.exchange.cancelled();
            curl_multi_remove_handle(multi, easy);
            return error;
        }
        curl_multi_poll(multi, nullptr, 0, 60'000, nullptr);
    }
}

}  // namespace
}  // namespace detail

class CurlTransport::Impl {
public:
    explicit Impl(CurlOptions options)
        : settings_(std::make_shared<const detail::CurlSettings>(std::move(options))) {}

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (loop_) loop_->stop();
    }

    /// The line used last, so that those beyond what the traffic needs fall idle. The expired go.
    std::unique_ptr<detail::CurlLine> lease(MonotonicTime now) {
        std::vector<std::unique_ptr<detail::CurlLine>> expired;  // destroyed without the lock
        const std::lock_guard lock(mutex_);
        while (!lines_.empty() && now - lines_.front()->last_used > settings_->options.max_idle) {
            expired.push_back(std::move(lines_.front()));
            lines_.pop_front();
        }
        if (lines_.empty()) return nullptr;
        auto line = std::move(lines_.back());
        lines_.pop_back();
        return line;
    }

    std::unique_ptr<detail::CurlLine> make_line() const {
        return std::make_unique<detail::CurlLine>(*settings_);
    }

    void give_back(std::unique_ptr<detail::CurlLine> line) {
        const std::lock_guard lock(mutex_);
        line->last_used = std::chrono::steady_clock::now();
        lines_.push_back(std::move(line));
    }

    /// Held while it is used: a completion may destroy the transport before the call that started
    /// it has returned.
    std::shared_ptr<detail::CurlLoop> loop() {
        const std::lock_guard lock(mutex_);
        if (!loop_) {
            auto loop = std::make_shared<detail::CurlLoop>(settings_);
            loop->start();
            loop_ = std::move(loop);
        }
        return loop_;
    }

private:
    std::shared_ptr<const detail::CurlSettings> settings_;
    std::mutex mutex_;
    std::deque<std::unique_ptr<detail::CurlLine>> lines_;  ///< The one used last at the end.
    std::shared_ptr<detail::CurlLoop> loop_;
};

CurlTransport::CurlTransport(CurlOptions options) {
    detail::require_duration("connect_timeout", options.connect_timeout);
    detail::require_duration("max_idle", options.max_idle, std::chrono::milliseconds{0});
    if (options.max_connections < 1)
        Error::invalid_request("max_connections", "is less than 1").raise();
    if (!options.ca_pem.empty() && !(options.ca_file.empty() && options.ca_directory.empty())) {
        Error::invalid_request("ca_pem", "cannot go with ca_file or ca_directory").raise();
    }
    detail::initialise_curl();
    impl_ = std::make_shared<Impl>(std::move(options));
}

CurlTransport::~CurlTransport() = default;

Result<HttpResponse> CurlTransport::send(const HttpRequest& request, const CallContext& context) {
    if (auto wrong = detail::wrong_header(request)) return std::move(*wrong);
    const auto now = std::chrono::steady_clock::now();
    auto line = impl_->lease(now);
    if (!line) line = impl_->make_line();
    line->exchange.prepare(request, context, now, false);
    if (context.cancel.is_cancelled()) return line->exchange.cancelled();
    bool reusable = false;
    auto result = detail::run_exchange(*line, context, reusable);
    if (reusable) impl_->give_back(std::move(line));
    return result;
}

void CurlTransport::async_send(HttpRequest request, CallContext context, Completion done) {
    impl_->loop()->submit(std::move(request), std::move(context), std::move(done));
}

void CurlTransport::call_at(MonotonicTime when, std::function<void()> task) {
    impl_->loop()->call_at(when, std::move(task));
}

}  // namespace twiliowa
