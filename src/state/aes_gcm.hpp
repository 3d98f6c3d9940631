/// @file
/// AES-256-GCM.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

#include "types/hmac.hpp"

namespace twiliowa::detail {

inline constexpr std::size_t gcm_nonce_bytes = 12;
inline constexpr std::size_t gcm_tag_bytes = 16;

/// A key for AES-256-GCM with nonces of 96 random bits and tags of 128 bits. Wiped when destroyed.
/// Errors are those of OpenSSL, which happen where a provider is missing.
class AesGcm {
public:
    using Cipher = std::shared_ptr<EVP_CIPHER>;
    using Pieces = std::initializer_list<std::string_view>;

    /// The algorithm, which takes long to be found; null where OpenSSL does not have it.
    static Cipher cipher();

    AesGcm(Cipher cipher, const HmacDigest& key) noexcept;
    AesGcm(const AesGcm&) = default;
    AesGcm& operator=(const AesGcm&) = default;
    ~AesGcm();

    /// Nonce, ciphertext and tag, bound to the pieces of `associated` one after the other. At most
    /// 1 GiB.
    Result<std::string> seal(std::string_view plain, Pieces associated) const;
    /// The plain text; nullopt if the tag is not that of all this.
    Result<std::optional<std::string>> open(std::string_view sealed, Pieces associated) const;

private:
    Cipher cipher_;
    std::array<unsigned char, 32> key_;
};

}  // namespace twiliowa::detail
