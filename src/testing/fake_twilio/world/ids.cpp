#include "testing/fake_twilio/world/ids.hpp"

#include <algorithm>

#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

std::uint64_t FakeIds::next_word() noexcept {
    // SplitMix64: the same numbers on every platform, which <random>'s distributions do not
    // promise.
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

std::string FakeIds::next(std::string_view prefix) {
    std::string id{prefix};
    id.reserve(prefix.size() + 32);
    for (int half = 0; half < 2; ++half) {
        const std::uint64_t word = next_word();
        for (int shift = 60; shift >= 0; shift -= 4) {
            id += "0123456789abcdef"[(word >> shift) & 0xf];
        }
    }
    return id;
}

std::string FakeIds::next_uuid() {
    std::string uuid = next({});
    uuid[12] = '4';
    uuid[16] = "89ab"[uuid[16] & 3];
    for (const std::size_t at : {20u, 16u, 12u, 8u}) uuid.insert(at, 1, '-');
    return uuid;
}

bool is_sid(std::string_view text, std::string_view prefix) noexcept {
    return text.size() == prefix.size() + 32 && text.starts_with(prefix) &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(prefix.size()), text.end(),
                       detail::is_hex_digit);
}

}  // namespace twiliowa::testing::fake
