// flags: -fno-exceptions
// expect: exception handling disabled|exceptions disabled
#include <cstdio>

#include <twiliowa/messages_client.hpp>

void greet(const twiliowa::MessagesClient& client) {
    try {
        client.send_text({.to = "+447700900123", .body = "Hello"});
    } catch (const twiliowa::TwilioError& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}
