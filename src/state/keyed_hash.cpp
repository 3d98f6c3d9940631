#include "state/keyed_hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstddef>
#include <random>

namespace twiliowa::detail {

namespace {

constexpr std::string_view hash_digits = "0123456789abcdef";

}  // namespace

std::string keyed_hash(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    std::string hex;
    hex.reserve(std::size_t{2} * size);
    for (unsigned i = 0; i < size; ++i) {
        hex += hash_digits[digest[i] >> 4];
        hex += hash_digits[digest[i] & 15];
    }
    return hex;
}

std::string random_hash_key() {
    constexpr int words = 8;
    std::random_device random;
    std::string key;
    for (int word = 0; word < words; ++word) {
        auto bits = static_cast<unsigned>(random());
        for (int i = 0; i < words; ++i, bits >>= 4) key += hash_digits[bits & 15];
    }
    return key;
}

}  // namespace twiliowa::detail
