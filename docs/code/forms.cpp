// The three forms of a verb.
#include <cstdio>

#include <twiliowa/twiliowa.hpp>

using namespace twiliowa;

int main() {
    const auto client = MessagesClient::from_environment();
    const OutboundText text{.to = "+447700900123", .body = "Hello"};
    // [forms]
    Message m = client.send_text(text);                      // throws a TwilioError
    Result<Message> r = client.try_send_text(text);          // never does
    client.async_send_text(text, [](Result<Message> sent) {  // calls back once, from the I/O thread
        std::printf("%s\n", sent ? sent->sid.str().c_str() : sent.error().what().c_str());
    });
    // [forms]
    return !m.sid.empty() && r ? 0 : 1;
}
