// A second source file, so that nothing of the library may be defined twice. It links fmt.
#include <string>

#include <twiliowa/adapters/fmt.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

std::string logged(const twiliowa::MessageStatus& status) {
    return fmt::format("{}", status);
}
