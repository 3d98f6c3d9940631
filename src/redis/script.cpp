#include "redis/script.hpp"

#include <openssl/evp.h>

namespace twiliowa::detail {

RedisScript::RedisScript(std::string_view script) : text(script) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    // Where there is no SHA-1 the server knows none of that name, and is given the text each time.
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1) size = 0;
    constexpr std::string_view digits = "0123456789abcdef";
    for (unsigned int i = 0; i < size; ++i) {
        sha += digits[digest[i] >> 4];
        sha += digits[digest[i] & 15];
    }
}

}  // namespace twiliowa::detail
