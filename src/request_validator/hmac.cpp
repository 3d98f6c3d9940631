#include "request_validator/hmac.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>

#include "text/base64.hpp"

// The hash functions below EVP are deprecated, yet theirs is the only state that can be copied
// without an allocation, which is what makes a signature cheap to check.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

namespace twiliowa::detail {

namespace {

constexpr std::size_t hmac_block_size = 64;  // of both hashes

constexpr std::array<std::int8_t, 256> make_base64_values() {
    std::array<std::int8_t, 256> values{};
    for (auto& value : values) value = -1;
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return values;
}
constexpr auto hmac_base64_values = make_base64_values();

}  // namespace

std::size_t hmac_size(HmacHash hash) noexcept {
    return hash == HmacHash::sha1 ? SHA_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
}

HmacKey::HmacKey(std::string_view key, HmacHash hash) noexcept : hash_(hash), inner_{}, outer_{} {
    std::array<unsigned char, hmac_block_size> block{};
    const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
    if (key.size() <= block.size()) {
        std::copy(key.begin(), key.end(), block.begin());
    } else if (hash == HmacHash::sha1) {
        SHA1(bytes, key.size(), block.data());
    } else {
        SHA256(bytes, key.size(), block.data());
    }
    const auto start = [&](State& state, unsigned char pad) {
        auto padded = block;
        for (auto& byte : padded) byte = static_cast<unsigned char>(byte ^ pad);
        if (hash == HmacHash::sha1) {
            SHA1_Init(&state.sha1);
            SHA1_Update(&state.sha1, padded.data(), padded.size());
        } else {
            SHA256_Init(&state.sha256);
            SHA256_Update(&state.sha256, padded.data(), padded.size());
        }
        OPENSSL_cleanse(padded.data(), padded.size());
    };
    start(inner_, 0x36);
    start(outer_, 0x5c);
    OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() {
    OPENSSL_cleanse(&inner_, sizeof inner_);
    OPENSSL_cleanse(&outer_, sizeof outer_);
}

HmacDigest HmacKey::sign(std::initializer_list<std::string_view> pieces) const noexcept {
    HmacDigest digest;
    digest.size = hmac_size(hash_);
    if (hash_ == HmacHash::sha1) {
        SHA_CTX inner = inner_.sha1;
        for (const auto piece : pieces) SHA1_Update(&inner, piece.data(), piece.size());
        SHA1_Final(digest.bytes.data(), &inner);
        SHA_CTX outer = outer_.sha1;
        SHA1_Update(&outer, digest.bytes.data(), digest.size);
        SHA1_Final(digest.bytes.data(), &outer);
    } else {
        SHA256_CTX inner = inner_.sha256;
        for (const auto piece : pieces) SHA256_Update(&inner, piece.data(), piece.size());
        SHA256_Final(digest.bytes.data(), &inner);
        SHA256_CTX outer = outer_.sha256;
        SHA256_Update(&outer, digest.bytes.data(), digest.size);
        SHA256_Final(digest.bytes.data(), &outer);
    }
    return digest;
}

bool equal_in_constant_time(const HmacDigest& a, const HmacDigest& b) noexcept {
    return a.size == b.size && CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), a.size) == 0;
}

std::optional<HmacDigest> decode_hmac(std::string_view base64) noexcept {
    HmacDigest digest;
    if (base64.size() == 28) {
        digest.size = 20;
    } else if (base64.size() == 44) {
        digest.size = 32;
    } else {
        return std::nullopt;
    }
    // Both end in two bytes of three, so in one sign of padding.
    if (base64.back() != '=') return std::nullopt;
    std::size_t out = 0;
    for (std::size_t i = 0; i < base64.size(); i += 4) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const bool padding = i + k + 1 == base64.size();
            const int value =
                padding ? 0 : hmac_base64_values[static_cast<unsigned char>(base64[i + k])];
            if (value < 0) return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        for (int shift = 16; shift >= 0 && out < digest.size; shift -= 8) {
            digest.bytes[out++] = static_cast<unsigned char>(group >> shift & 0xff);
        }
        // The bits that padding leaves over must be zero, or two texts would mean the same.
        if (i + 4 == base64.size() && (group & 0xff) != 0) return std::nullopt;
    }
    return digest;
}

std::string encode_hmac(const HmacDigest& digest) {
    std::string text;
    append_base64(text, {reinterpret_cast<const char*>(digest.bytes.data()), digest.size});
    return text;
}

std::array<char, 64> sha256_hex(std::string_view bytes) noexcept {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 64> hex{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    return hex;
}

}  // namespace twiliowa::detail

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
