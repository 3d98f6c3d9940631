// Testing code that sends, without a network: HttpTransport has one function, so a mock of it is
// three lines.
#include <cstdio>
#include <exception>
#include <memory>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

struct Mock : wa::HttpTransport {
    wa::Result<wa::HttpResponse> send(const wa::HttpRequest&, const wa::CallContext&) override {
        return wa::HttpResponse{400, {}, R"({"code": 21610, "message": "opted out"})"};
    }
};

/// The code under test: does this customer still want to hear from us?
bool greet(const wa::MessagesClient& client, const char* customer) {
    const auto sent = client.try_send_text({.to = customer, .body = "Hello"});
    return sent || sent.error().code() != 21610;
}

}  // namespace

int main() try {
    wa::ClientOptions options;
    options.from = "+15005550006";
    options.transport = std::make_shared<Mock>();
    const wa::MessagesClient client(
        wa::Credentials::auth_token("AC00000000000000000000000000000001", "not-a-token"), options);
    const bool welcome = greet(client, "+447700900123");
    std::printf("%s\n", welcome ? "still welcome" : "opted out, as the mock says");
    return welcome ? 1 : 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "mock_transport: %s\n", error.what());
    return 1;
}
