/// @file
/// Lets the fake Twilio live: a thread that runs what falls due, and webhooks that go out over
/// HTTP.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "clock.hpp"

namespace emulator {

class Runner {
public:
    Runner(std::shared_ptr<twiliowa::testing::FakeTwilio> fake, std::shared_ptr<ScaledClock> clock);
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Moves the time; what falls due on the way happens at its time.
    void advance(std::chrono::nanoseconds by);

private:
    void run();
    void wake();
    twiliowa::CurlTransport& transport_for(std::chrono::milliseconds connect_timeout);
    void deliver(const twiliowa::testing::FakeWebhook& webhook,
                 std::function<void(twiliowa::Result<twiliowa::WebhookResponse>)> done);

    std::shared_ptr<twiliowa::testing::FakeTwilio> fake_;
    std::shared_ptr<ScaledClock> clock_;
    std::mutex stepping_;  ///< Held while things happen, so that they do one after the other.
    std::mutex mutex_;
    std::condition_variable work_;
    bool woken_ = false;
    bool stopping_ = false;
    /// By connect timeout, of which a transport has one. Only used while things happen.
    std::map<std::chrono::milliseconds, std::unique_ptr<twiliowa::CurlTransport>> transports_;
    std::thread thread_;
};

}  // namespace emulator
