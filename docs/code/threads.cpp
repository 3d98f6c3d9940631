// What docs/threads-deadlines-cancellation.md shows.
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <twiliowa/adapters/future.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

int main() {
    const auto client = wa::MessagesClient::from_environment();
    const wa::OutboundText text{.to = "+447700900123", .body = "Hello"};

    // [deadline]
    client.send_text(text, {.timeout = 2s});
    // [deadline]

    // [cancel]
    wa::CancelSource stop;
    std::thread worker([&] {
        const auto sent = client.try_send_text(text, {.cancel = stop.token()});
        if (!sent) std::printf("%s\n", sent.error().what().c_str());
    });
    stop.cancel();  // from any thread, a signal handler's excepted
    worker.join();
    // [cancel]

    // [future]
    std::future<wa::Message> pending = wa::as_future(client, &wa::MessagesClient::async_send_text,
                                                     {.to = "+447700900123", .body = "Hello"});
    std::printf("%s\n", pending.get().sid.str().c_str());
    // [future]

    auto options = wa::ClientOptions::from_environment();
    std::promise<std::function<void()>> posted;
    auto pool = [&posted](std::function<void()> task) { posted.set_value(std::move(task)); };
    // [shared]
    options.transport = std::make_shared<wa::CurlTransport>();  // one for both: shared connections
    options.executor = pool;  // completions run there, not on the I/O thread
    const wa::MessagesClient messages{wa::Credentials::from_environment(), options};
    const wa::MediaClient media{wa::Credentials::from_environment(), options};
    // [shared]
    bool called = false;
    messages.async_send_text(
        text, [&called](const wa::Result<wa::Message>& sent) { called = sent.has_value(); });
    posted.get_future().get()();
    return called ? 0 : 1;
}
