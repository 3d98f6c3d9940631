// A second source file, so that nothing of the library may be defined twice; it logs with fmt.
#include <twiliowa/adapters/fmt.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

bool second_unit_works() {
    return fmt::format("{}", twiliowa::MessageStatus(twiliowa::MessageStatus::read)) == "read";
}
