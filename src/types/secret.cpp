#include <twiliowa/types/secret.hpp>

#include <utility>

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

void Secret::wipe() noexcept {
    detail::wipe_string(text_);  // the whole buffer: a short string moved from leaves its bytes
}

}  // namespace twiliowa
