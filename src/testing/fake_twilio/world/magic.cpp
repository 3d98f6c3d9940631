#include "testing/fake_twilio/world/magic.hpp"

#include "testing/fake_twilio/world/address.hpp"

namespace twiliowa::testing::fake {

const MagicRecipient* find_magic_recipient(std::string_view address) noexcept {
    const auto number = identity_of(address);
    if (!number.starts_with("+150055")) return nullptr;
    for (const auto& magic : magic_recipients) {
        if (magic.number == number) return &magic;
    }
    return nullptr;
}

}  // namespace twiliowa::testing::fake
