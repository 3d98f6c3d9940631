#include "environment.hpp"

#include <cstdlib>

namespace cli {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace cli
