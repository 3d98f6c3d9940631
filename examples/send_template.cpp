// The README's program: one template, credentials from the environment.
// [program]
#include <cstdio>

#include <twiliowa/messages_client.hpp>

int main() try {
    auto client = twiliowa::MessagesClient::from_environment();
    auto message = client.send_template({.to = "+447700900123",
                                         .content_sid = "HX00000000000000000000000000000001",
                                         .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    std::printf("%s is %s\n", message.sid.str().c_str(), message.status.str().c_str());
} catch (const twiliowa::TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
// [program]
