/// @file
/// A transport that keeps every request back until the test ends them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <twiliowa/http/http_transport.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace outbox_test {

class HoldingTransport final : public twiliowa::AsyncHttpTransport {
public:
    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest&,
                                                  const twiliowa::CallContext&) override {
        return twiliowa::Error::transport(twiliowa::Effect::none, twiliowa::Stage::connect, "no");
    }
    void async_send(twiliowa::HttpRequest, twiliowa::CallContext, Completion done) override {
        const std::lock_guard lock(mutex_);
        held_.push_back(std::move(done));
    }
    void call_at(twiliowa::MonotonicTime, std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return held_.size();
    }
    void end_all(const twiliowa::Result<twiliowa::HttpResponse>& answer =
                     twiliowa::Error::transport(twiliowa::Effect::unknown, twiliowa::Stage::receive,
                                                "ended")) {
        for (auto& done : take_held()) done(answer);
    }
    /// The first that came by the first answer, and so on.
    void end_each(const std::vector<twiliowa::HttpResponse>& answers) {
        auto ending = take_held();
        for (std::size_t i = 0; i < ending.size(); ++i) ending[i](answers.at(i));
    }

private:
    std::vector<Completion> take_held() {
        const std::lock_guard lock(mutex_);
        return std::exchange(held_, {});
    }

    std::mutex mutex_;
    std::vector<Completion> held_;
    std::vector<std::function<void()>> tasks_;
};

/// The service's client, over another transport.
inline MessagesClient client_over(const Service& service,
                                  std::shared_ptr<twiliowa::HttpTransport> transport) {
    auto options = service.fake->client_options();
    options.transport = std::move(transport);
    options.retry.max_attempts = 1;
    return MessagesClient{service.fake->credentials(), options};
}

}  // namespace outbox_test
