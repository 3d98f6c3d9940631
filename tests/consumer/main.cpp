// What a user of the installed library writes: sends a text through a transport of his own, and
// catches a typed error that was thrown inside the library.
#ifdef CONSUMER_HEADER
#include CONSUMER_HEADER
#else
#include <twiliowa/twiliowa.hpp>
#endif

#include <cstdio>
#include <memory>

namespace wa = twiliowa;

struct Mock : wa::HttpTransport {
    wa::Result<wa::HttpResponse> send(const wa::HttpRequest&, const wa::CallContext&) override {
        return wa::HttpResponse{
            201, {}, R"({"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"})"};
    }
};

bool second_unit_works();

int main() {
    if (!second_unit_works()) return 1;
    wa::ClientOptions options;
    options.from = "+14155238886";
    options.transport = std::make_shared<Mock>();
    const wa::MessagesClient client{
        wa::Credentials::auth_token("AC0123456789abcdef0123456789abcdef", "token"), options};

    const wa::Message sent = client.send_text({.to = "+447700900123", .body = "Hello"});
    std::printf("sent %s\n", sent.sid.str().c_str());
    if (sent.status != wa::MessageStatus::queued) return 1;
    try {
        client.send_text({.to = "nonsense", .body = "Hello"});
    } catch (const wa::InvalidRequestError& error) {
        std::printf("refused: %s\n", error.what());
        return 0;
    }
    return 1;
}
