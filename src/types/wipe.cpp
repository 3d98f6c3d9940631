#include "types/wipe.hpp"

#include <openssl/crypto.h>

namespace twiliowa::detail {

void wipe_string(std::string& text) noexcept {
    text.resize(text.capacity());
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

}  // namespace twiliowa::detail
