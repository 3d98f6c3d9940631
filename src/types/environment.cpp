#include "types/environment.hpp"

#include <cstdlib>

namespace twiliowa::detail {

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace twiliowa::detail
