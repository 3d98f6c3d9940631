// co_await over the asynchronous verbs. The library brings no task type; this one is the least that
// a program without a coroutine library needs.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <utility>

#include <twiliowa/adapters/coroutine.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

/// A coroutine that starts at once and whose end can be waited for from outside.
struct Detached {
    struct promise_type {
        std::promise<void> end = {};
        Detached get_return_object() { return {end.get_future()}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() { end.set_value(); }
        void unhandled_exception() { end.set_exception(std::current_exception()); }
    };
    std::future<void> end;
};

Detached send_and_look(wa::MessagesClient client) {
    wa::OutboundText text;
    text.to = "+447700900123";
    text.body = "Your parcel has arrived.";

    // Throws the TwilioError, like the blocking form.
    const auto sent = co_await wa::awaitable(client, &wa::MessagesClient::async_send_text, text);
    std::printf("%s is %s\n", sent.sid.str().c_str(), sent.status.str().c_str());

    // Gives a Result.
    const auto looked =
        co_await wa::try_awaitable(client, &wa::MessagesClient::async_fetch, sent.sid);
    if (looked) {
        std::printf("%s is %s\n", looked->sid.str().c_str(), looked->status.str().c_str());
    } else {
        std::printf("%s\n", looked.error().what().c_str());
    }
}

}  // namespace

int main() try {
    const auto client = wa::MessagesClient::from_environment();
    send_and_look(client).end.get();
} catch (const std::exception& error) {
    std::fprintf(stderr, "coroutine: %s\n", error.what());
    return 1;
}
