// expect: deleted|formatter|formattable
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <string>
#include <twiliowa/types/secret.hpp>

std::string show(const twiliowa::Secret& secret) {
#ifdef TWILIOWA_COMPILE_FAIL
    return fmt::format("{}", secret);
#else
    return fmt::format("{}", secret.empty());
#endif
}
