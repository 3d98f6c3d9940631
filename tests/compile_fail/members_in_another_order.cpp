// expect: order
#include <twiliowa/messages_client.hpp>

void greet(const twiliowa::MessagesClient& client) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    client.send_text({.body = "Hello", .to = "+447700900123"});
    // [wrong]
#else
    // [right]
    client.send_text({.to = "+447700900123", .body = "Hello"});
    // [right]
#endif
}
