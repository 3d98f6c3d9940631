// expect: conver|invalid init|no viable|no matching
#include <string>

#include <twiliowa/messages_client.hpp>

void look(const twiliowa::MessagesClient& client, const std::string& text) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    client.fetch(text);
    // [wrong]
#else
    // [right]
    client.fetch(twiliowa::MessageSid(text));
    // [right]
#endif
}
