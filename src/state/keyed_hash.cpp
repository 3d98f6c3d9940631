#include "state/keyed_hash.hpp"

#include <random>

#include "types/hmac.hpp"

namespace twiliowa::detail {

std::string keyed_hash(std::string_view key, std::string_view text) {
    return hex_of(HmacKey{key, HmacHash::sha256}.sign({text}));
}

std::string random_hash_key() {
    constexpr int words = 8;
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string key;
    for (int word = 0; word < words; ++word) {
        auto bits = static_cast<unsigned>(random());
        for (int i = 0; i < words; ++i, bits >>= 4) key += digits[bits & 15];
    }
    return key;
}

}  // namespace twiliowa::detail
