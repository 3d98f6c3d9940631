// expect: conver|invalid init|no viable|no matching
#include <twiliowa/types/sid.hpp>

void fetch(const twiliowa::MessageSid& sid);

void run(const twiliowa::MessageSid& message, const twiliowa::ContentSid& content) {
#ifdef TWILIOWA_COMPILE_FAIL
    fetch(content);
#else
    fetch(message);
#endif
    (void)message;
    (void)content;
}
