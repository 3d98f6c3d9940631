// Many messages at once, without a thread each: std::future over the asynchronous verbs.
#include <chrono>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <vector>

#include <twiliowa/adapters/future.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

int main() try {
    const auto client = wa::MessagesClient::from_environment();
    std::vector<std::future<wa::Message>> pending;
    for (int i = 1; i <= 10; ++i) {
        pending.push_back(wa::as_future(
            client, &wa::MessagesClient::async_send_text,
            {.to = "+447700900123", .body = "Parcel " + std::to_string(i) + " has arrived."},
            {.timeout = std::chrono::seconds(10)}));
    }
    int failures = 0;
    for (auto& message : pending) {
        try {
            std::printf("%s\n", message.get().sid.str().c_str());
        } catch (const wa::TwilioError& error) {
            std::printf("%s\n", error.what());
            ++failures;
        }
    }
    return failures == 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "async: %s\n", error.what());
    return 1;
}
