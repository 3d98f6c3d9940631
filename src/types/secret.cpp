#include <twiliowa/types/secret.hpp>

#include <openssl/crypto.h>

#include <utility>

#include "types/hmac.hpp"
#include "types/wipe.hpp"

namespace twiliowa {

Secret::Secret(std::string_view text) : text_(text) {}
Secret::Secret(const Secret& other) = default;
Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {
    other.wipe();
}

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        Secret copy(other);
        *this = std::move(copy);
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        text_.swap(other.text_);
    }
    return *this;
}

Secret::~Secret() {
    wipe();
}

bool Secret::matches(std::string_view given) const noexcept {
    if (text_.empty()) return false;
    // Of one length, so that the comparison tells nothing of theirs.
    const auto own = detail::sha256_hex(text_);
    const auto other = detail::sha256_hex(given);
    return CRYPTO_memcmp(own.data(), other.data(), own.size()) == 0;
}

void Secret::wipe() noexcept {
    detail::wipe_string(text_);  // the whole buffer: a short string moved from leaves its bytes
}

}  // namespace twiliowa
