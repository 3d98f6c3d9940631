// What a user writes who awaits some messages, and waits for others as futures. Neither adapter
// needs more than the library.
#include <coroutine>
#include <exception>
#include <future>
#include <memory>

#include <twiliowa/adapters/coroutine.hpp>
#include <twiliowa/adapters/future.hpp>
#include <twiliowa/messages_client.hpp>

namespace wa = twiliowa;

struct Detached {
    struct promise_type {
        Detached get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }
    };
};

Detached send(wa::MessagesClient client, std::promise<bool>& refused) {
    const auto sent = co_await wa::try_awaitable(client, &wa::MessagesClient::async_send_text,
                                                 {.to = "nonsense", .body = "Hello"});
    refused.set_value(!sent && sent.error().field() == "To");
}

int main() {
    const wa::MessagesClient client{
        wa::Credentials::auth_token("AC0123456789abcdef0123456789abcdef", "token"),
        {.from = "+14155238886"}};
    std::promise<bool> refused;
    send(client, refused);
    if (!refused.get_future().get()) return 1;
    try {
        wa::as_future(client, &wa::MessagesClient::async_send_text,
                      {.to = "nonsense", .body = "Hello"})
            .get();
    } catch (const wa::InvalidRequestError&) {
        return 0;
    }
    return 1;
}
