// A second source file, so that nothing of the library may be defined twice.
#ifndef CONSUMER_HEADER
#define CONSUMER_HEADER <twiliowa/twiliowa.hpp>
#endif
#include CONSUMER_HEADER

bool second_unit_works() {
    return twiliowa::Address::parse("+447700900123", "To")->wire() == "whatsapp:+447700900123" &&
           twiliowa::advise(63016).category == twiliowa::ErrorCategory::window;
}
