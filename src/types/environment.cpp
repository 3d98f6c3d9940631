#include "types/environment.hpp"

#include <openssl/crypto.h>

#include <cstdlib>

namespace twiliowa::detail {

std::string environment_variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

void wipe_string(std::string& text) noexcept {
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

}  // namespace twiliowa::detail
