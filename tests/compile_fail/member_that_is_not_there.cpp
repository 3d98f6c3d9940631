// expect: cannot convert '<brace-enclosed|does not refer to any field|no non-static data member
#include <twiliowa/messages_client.hpp>

void greet(const twiliowa::MessagesClient& client) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    client.send_text({.to = "+447700900123", .text = "Hello"});
    // [wrong]
#else
    // [right]
    client.send_text({.to = "+447700900123", .body = "Hello"});
    // [right]
#endif
}
