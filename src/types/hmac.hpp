/// @file
/// HMAC (RFC 2104) with a key that is prepared once, keys derived by it, and the hash of a body.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

enum class HmacHash { sha1, sha256 };

struct HmacDigest {
    std::array<unsigned char, 32> bytes = {};
    std::size_t size = 0;
};

/// How many bytes it has.
std::size_t hmac_size(HmacHash hash) noexcept;

/// The states of the hash after the padded key: an HMAC costs the message and two blocks, and no
/// allocation. Wiped when destroyed.
class HmacKey {
public:
    HmacKey(std::string_view key, HmacHash hash) noexcept;
    HmacKey(const HmacKey&) noexcept = default;
    HmacKey& operator=(const HmacKey&) noexcept = default;
    ~HmacKey();

    HmacHash hash() const noexcept { return hash_; }
    /// Over the pieces, one after the other.
    HmacDigest sign(std::initializer_list<std::string_view> pieces) const noexcept;

private:
    union State {
        SHA_CTX sha1;
        SHA256_CTX sha256;
    };
    HmacHash hash_;
    State inner_;
    State outer_;
};

/// 32 bytes that are derived from a secret of many for one use, which `info` names: HKDF-SHA-256
/// (RFC 5869) without salt. A secret: wipe it.
HmacDigest hkdf_sha256(std::string_view secret, std::string_view info) noexcept;

/// In the time that it takes, not that the bytes need to differ.
bool equal_in_constant_time(const HmacDigest& a, const HmacDigest& b) noexcept;

/// Padded base64 of 20 or 32 bytes; nullopt for any other text.
std::optional<HmacDigest> decode_hmac(std::string_view base64) noexcept;
std::string encode_hmac(const HmacDigest& digest);
/// In lower-case hex.
std::string hex_of(const HmacDigest& digest);

/// In lower-case hex.
TWILIOWA_EXPORT std::array<char, 64> sha256_hex(std::string_view bytes) noexcept;

}  // namespace twiliowa::detail
