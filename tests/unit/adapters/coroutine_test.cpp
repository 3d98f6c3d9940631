#include <twiliowa/adapters/coroutine.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <twiliowa/testing/scripted_transport.hpp>

namespace coroutine_test {

using namespace twiliowa;
using twiliowa::testing::ScriptedTransport;

namespace {

/// A coroutine that starts at once; destroying this destroys it, wherever it is.
class Coroutine {
public:
    struct promise_type {
        Coroutine get_return_object() {
            return Coroutine(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { failure = std::current_exception(); }
        std::exception_ptr failure = {};
    };

    Coroutine(Coroutine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ~Coroutine() {
        if (handle_) handle_.destroy();
    }
    bool done() const { return handle_.done(); }
    void rethrow() const {
        if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    }

private:
    explicit Coroutine(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

template <class Start>
Coroutine await_int(Start start, std::optional<int>& value) {
    value = co_await awaitable<int>(std::move(start));
}

template <class Start>
Coroutine await_result(Start start, std::optional<Result<int>>& value) {
    value = co_await try_awaitable<int>(std::move(start));
}

MessagesClient coroutine_client(std::shared_ptr<HttpTransport> transport) {
    ClientOptions options;
    options.from = "+15005550006";
    options.transport = std::move(transport);
    return MessagesClient(Credentials::auth_token("AC00000000000000000000000000000001", "a-token"),
                          options);
}

Coroutine send_and_fetch(MessagesClient client, std::string& status) {
    OutboundText text;
    text.to = "+447700900123";
    text.body = "Hi";
    const Message sent = co_await awaitable(client, &MessagesClient::async_send_text, text);
    const Message fetched = co_await awaitable(client, &MessagesClient::async_fetch, sent.sid);
    status = fetched.status.str();
    co_await awaitable(client, &MessagesClient::async_remove, sent.sid);
}

Coroutine fetch_missing(MessagesClient client, int& caught) {
    const MessageSid sid("SM00000000000000000000000000000001");
    try {
        co_await awaitable(client, &MessagesClient::async_fetch, sid);
    } catch (const NotFoundError& error) {
        caught = error.code();
    }
    const auto result = co_await try_awaitable(client, &MessagesClient::async_fetch, sid);
    caught += result.error().code();
}

}  // namespace

TEST_CASE("co_await walks through several calls") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(201, R"({"sid":"SM00000000000000000000000000000001","status":"queued"})")
        .respond(200, R"({"sid":"SM00000000000000000000000000000001","status":"sent"})")
        .respond(204);
    std::string status;
    const auto coroutine = send_and_fetch(coroutine_client(transport), status);
    CHECK_FALSE(coroutine.done());
    transport->run_until_idle();
    CHECK(coroutine.done());
    CHECK_NOTHROW(coroutine.rethrow());
    CHECK(status == "sent");
    CHECK(transport->request_count() == 3);
}

TEST_CASE("co_await throws the typed error, its try form returns it") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(404, R"({"code":20404})").respond(404, R"({"code":20404})");
    int caught = 0;
    const auto coroutine = fetch_missing(coroutine_client(transport), caught);
    transport->run_until_idle();
    CHECK(coroutine.done());
    CHECK(caught == 2 * 20404);
}

TEST_CASE("co_await goes on without suspending when the completion comes inside the call") {
    std::optional<int> value;
    const auto coroutine = await_int([](auto done) { done(7); }, value);
    CHECK(coroutine.done());
    CHECK(value == 7);
}

TEST_CASE("co_await on a blocking transport throws InvalidRequestError") {
    struct Blocking : HttpTransport {
        Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
            return HttpResponse{};
        }
    };
    std::string status;
    const auto coroutine = send_and_fetch(coroutine_client(std::make_shared<Blocking>()), status);
    CHECK(coroutine.done());
    CHECK_THROWS_AS(coroutine.rethrow(), InvalidRequestError);
}

TEST_CASE("co_await resumes on the thread that completes the call") {
    std::thread::id resumed_on;
    Callback<int> pending;
    const auto wait = [](Callback<int>& slot, std::thread::id& where) -> Coroutine {
        co_await awaitable<int>([&slot](auto done) { slot = done; });
        where = std::this_thread::get_id();
    };
    const auto coroutine = wait(pending, resumed_on);
    std::thread completing([&] { std::exchange(pending, nullptr)(1); });
    const auto id = completing.get_id();
    completing.join();
    CHECK(coroutine.done());
    CHECK(resumed_on == id);
}

TEST_CASE("co_await survives every race between the completion and the suspension") {
    for (int i = 0; i < 500; ++i) {
        std::optional<Result<int>> value;
        std::thread completing;
        const auto coroutine = await_result(
            [&](Callback<int> done) {
                completing = std::thread([done = std::move(done), i] { done(i); });
            },
            value);
        completing.join();
        REQUIRE(coroutine.done());
        CHECK(value->value() == i);
    }
}

TEST_CASE("A dropped callback resumes the coroutine with an unknown outcome") {
    std::optional<Result<int>> value;
    {
        Callback<int> pending;
        const auto coroutine =
            await_result([&pending](auto done) { pending = std::move(done); }, value);
        CHECK_FALSE(coroutine.done());
        pending = nullptr;
        CHECK(coroutine.done());
    }
    REQUIRE(value);
    CHECK(value->error().kind() == ErrorKind::outcome_unknown);
}

TEST_CASE("co_await throws what the start throws") {
    std::optional<int> value;
    const auto coroutine =
        await_int([](const Callback<int>&) { throw std::logic_error("start"); }, value);
    CHECK(coroutine.done());
    CHECK_THROWS_AS(coroutine.rethrow(), std::logic_error);
}

TEST_CASE("A coroutine destroyed while it waits lets the call end in silence") {
    std::optional<int> value;
    Callback<int> pending;
    {
        const auto coroutine =
            await_int([&pending](auto done) { pending = std::move(done); }, value);
        CHECK_FALSE(coroutine.done());
    }
    pending(1);
    CHECK_FALSE(value);
}

}  // namespace coroutine_test
