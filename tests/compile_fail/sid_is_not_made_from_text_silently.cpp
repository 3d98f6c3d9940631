// expect: conver|invalid init|no viable|no matching
#include <twiliowa/types/sid.hpp>

void fetch(const twiliowa::MessageSid& sid);

void run() {
#ifdef TWILIOWA_COMPILE_FAIL
    fetch("SM00000000000000000000000000000000");
#else
    fetch(twiliowa::MessageSid("SM00000000000000000000000000000000"));
#endif
}
