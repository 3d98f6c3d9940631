// What docs/transports.md shows.
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

/// Stands for the HTTP library of a reader's choice.
namespace my_http {
struct Answer {
    bool connected = false;
    bool complete = false;
    int status = 0;
    wa::HttpHeaders headers = {};
    std::string body = {};
};
std::shared_ptr<wa::testing::FakeTwilio> server = wa::testing::FakeTwilio::with_account();

Answer perform(const wa::HttpRequest& request, std::chrono::milliseconds /*at_most*/) {
    auto answer = server->handle(request);
    return {true, true, answer.status, std::move(answer.headers), std::move(answer.body)};
}
}  // namespace my_http

// [transport]
class MyTransport final : public wa::HttpTransport {
public:
    wa::Result<wa::HttpResponse> send(const wa::HttpRequest& request,
                                      const wa::CallContext& context) override {
        if (context.cancel.is_cancelled()) {
            return failure(wa::ErrorKind::cancelled, wa::Effect::none, "cancelled");
        }
        const auto left = context.deadline - std::chrono::steady_clock::now();
        if (left <= left.zero()) {
            return failure(wa::ErrorKind::timeout, wa::Effect::none, "no time left");
        }
        // On the wire once: no retries, no redirects; certificates are checked.
        // request.authorization.reveal() is the Authorization header.
        my_http::Answer answer =
            my_http::perform(request, std::chrono::duration_cast<std::chrono::milliseconds>(left));
        if (!answer.connected) {
            return wa::Error::transport(wa::Effect::none, wa::Stage::connect, "no connection");
        }
        if (!answer.complete) {  // something may have left: say so
            return wa::Error::transport(wa::Effect::unknown, wa::Stage::receive, "no answer");
        }
        if (answer.body.size() > context.max_response_bytes) {
            return wa::Error::transport(wa::Effect::unknown, wa::Stage::receive, "too large");
        }
        return wa::HttpResponse{answer.status, std::move(answer.headers), std::move(answer.body)};
    }

private:
    static wa::Error failure(wa::ErrorKind kind, wa::Effect effect, const char* summary) {
        return wa::Error{{.kind = kind, .effect = effect, .summary = summary}};
    }
};
// [transport]

}  // namespace

int main() {
    wa::ClientOptions options;
    options.from = "+14155238886";
    // [use]
    options.transport = std::make_shared<MyTransport>();
    const wa::MessagesClient client{my_http::server->credentials(), options};
    // [use]
    client.send_text({.to = "+447700900123", .body = "Hello"});
    return my_http::server->messages().size() == 1 ? 0 : 1;
}
