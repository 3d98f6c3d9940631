// Sends a message to the fake Twilio, and sees it there.
#include <cstdio>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

int main() {
    const auto fake = twiliowa::testing::FakeTwilio::with_account();
    const twiliowa::MessagesClient client{fake->credentials(), fake->client_options()};
    const auto sent = client.send_text({.to = "+447700900123", .body = "Hello"});
    std::printf("twiliowa %s sent %s\n", TWILIOWA_VERSION_STRING, sent.sid.str().c_str());
    return fake->messages().front().body == "Hello" ? 0 : 1;
}
