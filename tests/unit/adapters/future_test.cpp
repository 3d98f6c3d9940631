#include <twiliowa/adapters/future.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include <twiliowa/testing/scripted_transport.hpp>

namespace future_test {

using namespace twiliowa;
using twiliowa::testing::ScriptedTransport;

namespace {

constexpr const char* future_created =
    R"({"sid":"SM00000000000000000000000000000001","status":"queued"})";

MessagesClient future_client(std::shared_ptr<HttpTransport> transport) {
    ClientOptions options;
    options.from = "+15005550006";
    options.transport = std::move(transport);
    return MessagesClient(Credentials::auth_token("AC00000000000000000000000000000001", "a-token"),
                          options);
}

bool is_ready(const auto& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

TEST_CASE("as_future gives the value when the call completes, not before") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(201, future_created);
    const auto client = future_client(transport);
    auto future = as_future<Message>(
        [&](auto done) { client.async_send_text({.to = "+447700900123", .body = "Hi"}, done); });
    CHECK_FALSE(is_ready(future));
    transport->run_until_idle();
    CHECK(future.get().sid.str() == "SM00000000000000000000000000000001");
}

TEST_CASE("as_future takes a verb and its argument") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(201, future_created).respond(200, future_created).respond(204);
    const auto client = future_client(transport);
    auto sent =
        as_future(client, &MessagesClient::async_send_text, {.to = "+447700900123", .body = "Hi"});
    transport->run_until_idle();
    const auto sid = sent.get().sid;
    auto fetched = as_future(client, &MessagesClient::async_fetch, sid);
    transport->run_until_idle();
    CHECK(fetched.get().status == MessageStatus::queued);
    std::future<void> removed = as_future(client, &MessagesClient::async_remove, sid);
    transport->run_until_idle();
    CHECK_NOTHROW(removed.get());
}

TEST_CASE("as_future throws the exception that belongs to the error") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(404, R"({"code":20404,"message":"no","status":404})");
    const auto client = future_client(transport);
    auto missing = as_future(client, &MessagesClient::async_fetch,
                             MessageSid("SM00000000000000000000000000000001"));
    auto refused = as_future(client, &MessagesClient::async_send_text, {.to = "nobody"});
    transport->run_until_idle();
    CHECK_THROWS_AS(missing.get(), NotFoundError);
    CHECK_THROWS_AS(refused.get(), InvalidRequestError);
}

TEST_CASE("as_future of a verb without a value carries its failure") {
    auto future = as_future<void>([](auto done) {
        done(Error::transport(Effect::none, Stage::connect, "connection refused"));
    });
    CHECK_THROWS_AS(future.get(), TransportError);
}

TEST_CASE("as_future breaks no promise when the callback is dropped") {
    auto future = as_future<Message>([](const Callback<Message>&) {});
    REQUIRE(is_ready(future));
    CHECK_THROWS_AS(future.get(), OutcomeUnknownError);
}

TEST_CASE("as_future ignores a second completion") {
    auto future = as_future<int>([](auto done) {
        done(1);
        done(2);
    });
    CHECK(future.get() == 1);
}

TEST_CASE("as_future passes on what the start throws") {
    CHECK_THROWS_AS(static_cast<void>(as_future<int>(
                        [](const Callback<int>&) { throw std::logic_error("start"); })),
                    std::logic_error);
}

TEST_CASE("A future may be dropped before the call completes") {
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->respond(201, future_created);
    const auto client = future_client(transport);
    static_cast<void>(
        as_future(client, &MessagesClient::async_send_text, {.to = "+447700900123", .body = "Hi"}));
    transport->run_until_idle();
    CHECK(transport->remaining() == 0);
}

TEST_CASE("as_future on a blocking transport gives InvalidRequestError") {
    struct Blocking : HttpTransport {
        Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
            return HttpResponse{};
        }
    };
    const auto client = future_client(std::make_shared<Blocking>());
    auto future =
        as_future(client, &MessagesClient::async_send_text, {.to = "+447700900123", .body = "Hi"});
    CHECK_THROWS_AS(future.get(), InvalidRequestError);
}

}  // namespace future_test
