// expect: unused-result|nodiscard
#include <cstdio>

#include <twiliowa/messages_client.hpp>

void greet(const twiliowa::MessagesClient& client) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    client.try_send_text({.to = "+447700900123", .body = "Hello"});
    // [wrong]
#else
    // [right]
    if (auto sent = client.try_send_text({.to = "+447700900123", .body = "Hello"}); !sent) {
        std::fprintf(stderr, "%s\n", sent.error().what().c_str());
    }
    // [right]
#endif
}
