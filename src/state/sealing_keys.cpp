#include "state/sealing_keys.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "state/key_ring_data.hpp"
#include "text/base64.hpp"

namespace twiliowa::detail {

namespace {

// What HKDF is told: no key that it derives for one use is that of another, or of a later version.
constexpr std::string_view sealing_use = "twiliowa tws1 seal";
constexpr std::string_view indexing_use = "twiliowa twi1 index";

/// A derived key, which goes with the expression that needs it.
struct DerivedKey {
    DerivedKey(std::string_view secret, std::string_view use) noexcept
        : digest(hkdf_sha256(secret, use)) {}
    DerivedKey(const DerivedKey&) = delete;
    DerivedKey& operator=(const DerivedKey&) = delete;
    ~DerivedKey() { OPENSSL_cleanse(digest.bytes.data(), digest.bytes.size()); }
    std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(digest.bytes.data()), digest.size};
    }
    HmacDigest digest;
};

std::string head_of(std::string_view version, std::string_view id) {
    return std::string(version).append(1, '.').append(id).append(1, '.');
}

/// Eight bytes, the highest first: what follows cannot be taken for another pair of texts.
std::array<char, 8> length_prefix(std::string_view text) noexcept {
    std::array<char, 8> bytes{};
    auto length = static_cast<std::uint64_t>(text.size());
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, length >>= 8U) {
        *byte = static_cast<char>(length & 0xffU);
    }
    return bytes;
}

}  // namespace

SealingKey::SealingKey(std::string_view id, std::string_view secret, AesGcm::Cipher cipher)
    : id_(id),
      sealed_head_(head_of(sealed_version, id)),
      cipher_(std::move(cipher), DerivedKey{secret, sealing_use}.digest),
      index_key_(DerivedKey{secret, indexing_use}.text(), HmacHash::sha256) {}

Result<std::string> SealingKey::seal(std::string_view plain, std::string_view associated) const {
    const auto bytes = cipher_.seal(plain, {sealed_head_, associated});
    if (!bytes) return bytes.error();
    std::string text;
    text.reserve(sealed_head_.size() + (bytes->size() * 4 + 2) / 3);
    text += sealed_head_;
    append_base64url(text, *bytes);
    return text;
}

Result<std::string> SealingKey::open(std::string_view sealed, std::string_view associated) const {
    std::string bytes(sealed.size() / 4 * 3 + 2, '\0');
    const auto size = decode_base64url_into(
        sealed, {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
    if (!size || *size < gcm_nonce_bytes + gcm_tag_bytes) {
        return sealed_error("is cut or altered", "restore it from a backup");
    }
    auto plain = cipher_.open(std::string_view{bytes}.substr(0, *size), {sealed_head_, associated});
    if (!plain) return plain.error();
    if (!*plain) {
        return sealed_error(
            "does not open: it was cut or altered, or sealed for another place, or with another "
            "key "
            "of this id",
            "it opens with the associated text and the key that it was sealed with, and no other");
    }
    return std::move(**plain);
}

std::string SealingKey::blind_index(std::string_view value, std::string_view purpose) const {
    const auto of_purpose = length_prefix(purpose);
    const auto of_value = length_prefix(value);
    const auto digest = index_key_.sign({{of_purpose.data(), of_purpose.size()},
                                         purpose,
                                         {of_value.data(), of_value.size()},
                                         value});
    auto text = head_of(index_version, id_);
    append_base64url(text, {reinterpret_cast<const char*>(digest.bytes.data()), digest.size});
    return text;
}

const SealingKey* find_key(const SealingKeys& keys, std::string_view id) noexcept {
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [id](const SealingKey& key) { return key.id() == id; });
    return found == keys.end() ? nullptr : &*found;
}

SealedForm form_of_sealed(std::string_view text) noexcept {
    const auto version = text.substr(0, text.find('.'));
    if (version.size() == text.size()) return {};
    const auto rest = text.substr(version.size() + 1);
    const auto id = rest.substr(0, rest.find('.'));
    if (id.size() == rest.size() || !is_key_id(id)) return {};
    return {version, id, rest.substr(id.size() + 1)};
}

Error sealed_error(std::string_view problem, std::string_view hint) {
    return Error::invalid_request("sealed", problem, hint);
}

}  // namespace twiliowa::detail
