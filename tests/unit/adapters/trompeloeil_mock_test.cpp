// The user's side: HttpTransport has one function, so a trompeloeil mock of it is three lines.
#include <doctest/doctest.h>
#include <doctest/trompeloeil.hpp>

#include <memory>

#include <twiliowa/messages_client.hpp>

namespace trompeloeil_mock_test {

using namespace twiliowa;

namespace {

struct MockTransport : HttpTransport {
    MAKE_MOCK2(send, Result<HttpResponse>(const HttpRequest&, const CallContext&), override);
};

}  // namespace

TEST_CASE("HttpTransport is mocked with trompeloeil in three lines") {
    const auto transport = std::make_shared<MockTransport>();
    REQUIRE_CALL(*transport, send(trompeloeil::_, trompeloeil::_))
        .WITH(_1.method == HttpMethod::post && _1.body.starts_with("To=whatsapp%3A%2B447700900123"))
        .RETURN(HttpResponse{400, {}, R"({"code": 21610})"});
    ClientOptions options;
    options.from = "+15005550006";
    options.transport = transport;
    const MessagesClient client(
        Credentials::auth_token("AC00000000000000000000000000000001", "a-token"), options);
    const auto sent = client.try_send_text({.to = "+447700900123", .body = "Hi"});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code() == 21610);
}

}  // namespace trompeloeil_mock_test
