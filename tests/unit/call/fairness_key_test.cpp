// By which key calls wait for their turn in a transport.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>

namespace fairness_key_test {

using namespace twiliowa;

// GCC before 13 copies options that are written into a `co_await` byte by byte.
static_assert(std::is_trivially_copyable_v<FairnessKey>);

struct KeyTransport final : AsyncHttpTransport {
    Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
        return Error::transport(Effect::none, Stage::connect, "nobody is there");
    }
    void async_send(HttpRequest, CallContext context, Completion) override {
        keys.push_back(context.fairness_key);
    }
    void call_at(MonotonicTime, std::function<void()>) override {}

    std::vector<std::uint64_t> keys = {};
};

TEST_CASE("calls wait by their account, unless they say by what") {
    const auto transport = std::make_shared<KeyTransport>();
    const auto send = [&](const char* account, const CallOptions& options) {
        const MessagesClient client{Credentials::auth_token(account, "token"),
                                    {.from = "+14155238886", .transport = transport}};
        client.async_send_text(
            {.to = "+447700900123", .body = "Hi"}, [](const auto&) {}, options);
    };
    const char* const first = "AC00000000000000000000000000000001";
    const char* const second = "AC00000000000000000000000000000002";
    send(first, {});
    send(first, {});
    send(second, {});
    send(first, {.fairness_key = "tenant 7"});
    send(second, {.fairness_key = "tenant 7"});
    const auto& keys = transport->keys;
    REQUIRE(keys.size() == 5);
    CHECK(keys[0] == keys[1]);
    CHECK(keys[0] != keys[2]);
    CHECK(keys[3] == keys[4]);
    CHECK(keys[3] != keys[0]);
    CHECK(keys[3] != keys[2]);
    CHECK(FairnessKey{""}.empty());
    CHECK(FairnessKey{std::string{"tenant 7"}}.hash() == keys[3]);
}

}  // namespace fairness_key_test
