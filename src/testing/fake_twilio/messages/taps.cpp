#include "testing/fake_twilio/messages/taps.hpp"

#include <vector>

namespace twiliowa::testing::fake {

namespace {

template <class Match>
FakeTapped find_tapped(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       Match match) {
    const auto& all = world.store.all();
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        const auto& record = it->second.record;
        // What never arrived cannot be tapped.
        if (record.from != sender || record.error_code) continue;
        if (world.phones.owner_of(record.to) != customer) continue;
        auto tapped = match(it->second.bubble);
        if (tapped.message == nullptr && tapped.title.empty() && tapped.id.empty()) continue;
        tapped.message = &it->second;
        return tapped;
    }
    return {};
}

}  // namespace

FakeTapped find_button(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       std::string_view wanted) {
    return find_tapped(world, sender, customer, [&](const FakeBubble& bubble) {
        FakeTapped tapped;
        const auto press = [&](const std::vector<FakeButton>& buttons) {
            for (const auto& button : buttons) {
                if (button.type != "QUICK_REPLY") continue;
                if (button.title != wanted && (button.id != wanted || wanted.empty())) continue;
                tapped.id = button.id;
                tapped.title = button.title;
                return true;
            }
            return false;
        };
        if (press(bubble.buttons)) return tapped;
        for (const auto& card : bubble.cards) {
            if (press(card.buttons)) break;
        }
        return tapped;
    });
}

FakeTapped find_item(const FakeWorld& world, std::string_view sender, std::string_view customer,
                     std::string_view wanted) {
    return find_tapped(world, sender, customer, [&](const FakeBubble& bubble) {
        FakeTapped tapped;
        for (const auto& item : bubble.items) {
            if (item.title != wanted && (item.id != wanted || wanted.empty())) continue;
            tapped.id = item.id;
            tapped.title = item.title;
            tapped.description = item.description;
            break;
        }
        return tapped;
    });
}

}  // namespace twiliowa::testing::fake
