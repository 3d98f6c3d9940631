#include "types/hmac.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <span>

#include "text/base64.hpp"
#include "text/hex.hpp"

// The hash functions below EVP are deprecated, yet theirs is the only state that can be copied
// without an allocation, which is what makes a signature cheap to check.
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif

namespace twiliowa::detail {

namespace {

constexpr std::size_t hmac_block_size = 64;  // of both hashes

std::string_view bytes_of_digest(const HmacDigest& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.bytes.data()), digest.size};
}

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

HmacDigest hkdf_sha256(std::string_view secret, std::string_view info) noexcept {
    // No salt means zeros, with which HMAC fills a key that is too short.
    auto extracted = HmacKey{{}, HmacHash::sha256}.sign({secret});
    // One hash is as long as what is asked for: the first block of the expansion is the last.
    const auto derived = HmacKey{bytes_of_digest(extracted), HmacHash::sha256}.sign({info, "\x01"});
    OPENSSL_cleanse(extracted.bytes.data(), extracted.bytes.size());
    return derived;
}

bool equal_in_constant_time(const HmacDigest& a, const HmacDigest& b) noexcept {
    return a.size == b.size && CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), a.size) == 0;
}

std::optional<HmacDigest> decode_hmac(std::string_view base64) noexcept {
    HmacDigest digest;
    const auto size = decode_base64_into(base64, digest.bytes);
    if (!size || (*size != SHA_DIGEST_LENGTH && *size != SHA256_DIGEST_LENGTH)) return std::nullopt;
    digest.size = *size;
    return digest;
}

std::string encode_hmac(const HmacDigest& digest) {
    std::string text;
    append_base64(text, bytes_of_digest(digest));
    return text;
}

std::string hex_of(const HmacDigest& digest) {
    return bytes_in_hex(std::span(digest.bytes).first(digest.size));
}

std::array<char, 64> sha256_hex(std::string_view bytes) noexcept {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    // SHA256() would look for its algorithm each time.
    SHA256_CTX state{};
    SHA256_Init(&state);
    SHA256_Update(&state, bytes.data(), bytes.size());
    SHA256_Final(digest.data(), &state);
    std::array<char, 64> hex{};
    write_hex(digest, hex.data());
    return hex;
}

}  // namespace twiliowa::detail

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
