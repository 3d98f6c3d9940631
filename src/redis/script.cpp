#include "redis/script.hpp"

#include <openssl/evp.h>

#include <span>

#include "text/hex.hpp"

namespace twiliowa::detail {

RedisScript::RedisScript(std::string_view script) : text(script) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    // Where there is no SHA-1 the server knows none of that name, and is given the text each time.
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1) size = 0;
    sha = bytes_in_hex(std::span(digest, size));
}

}  // namespace twiliowa::detail
