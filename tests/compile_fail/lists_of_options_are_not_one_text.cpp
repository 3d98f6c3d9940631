// expect: deleted
#include <twiliowa/webhook/public_url.hpp>

twiliowa::PublicUrl public_url() {
#ifdef TWILIOWA_COMPILE_FAIL
    return twiliowa::PublicUrl::as_received({{"bot.example.com", "bot.example.org"}});
#else
    return twiliowa::PublicUrl::as_received({"bot.example.com", "bot.example.org"});
#endif
}
