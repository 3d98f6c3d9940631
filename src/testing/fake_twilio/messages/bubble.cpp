#include "testing/fake_twilio/messages/bubble.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace twiliowa::testing::fake {

namespace {

using BubbleJson = nlohmann::json;

/// The text or number of that name; empty when there is none.
std::string bubble_text(const BubbleJson& object, const char* name) {
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return {};
    if (found->is_string()) return found->get<std::string>();
    return found->is_number() ? found->dump() : std::string{};
}

BubbleJson bubble_part(const BubbleJson& object, const char* name) {
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    return found == object.end() ? BubbleJson{} : *found;
}

/// The items of an array of that name, or the one value that stands in its place.
std::vector<BubbleJson> bubble_items(const BubbleJson& object, const char* name) {
    const auto part = bubble_part(object, name);
    if (part.is_array()) return part.get<std::vector<BubbleJson>>();
    return part.is_null() ? std::vector<BubbleJson>{} : std::vector<BubbleJson>{part};
}

void add_bubble_media(std::vector<std::string>& media, const BubbleJson& part, const char* name) {
    for (const auto& url : bubble_items(part, name)) {
        if (url.is_string() && !url.get_ref<const std::string&>().empty()) media.push_back(url);
    }
}

std::vector<testing::FakeButton> bubble_buttons(const BubbleJson& part) {
    std::vector<testing::FakeButton> buttons;
    for (const auto& action : bubble_items(part, "actions")) {
        testing::FakeButton button;
        button.type = bubble_text(action, "type");
        if (button.type.empty()) button.type = "QUICK_REPLY";
        button.title = bubble_text(action, "title");
        if (button.title.empty()) button.title = bubble_text(action, "copy_code_text");
        button.id = bubble_text(action, "id");
        for (const auto* name : {"url", "phone", "code"}) {
            if (button.value.empty()) button.value = bubble_text(action, name);
        }
        buttons.push_back(std::move(button));
    }
    return buttons;
}

void add_bubble_items(testing::FakeBubble& bubble, const BubbleJson& type) {
    for (const auto& item : bubble_items(type, "items")) {
        if (!item.is_object()) continue;
        auto title = bubble_text(item, "item");
        if (title.empty()) title = bubble_text(item, "name");
        bubble.items.push_back({bubble_text(item, "id"), title, bubble_text(item, "description")});
    }
}

void add_bubble_cards(testing::FakeBubble& bubble, const BubbleJson& type) {
    for (const auto& part : bubble_items(type, "cards")) {
        testing::FakeCard card;
        card.title = bubble_text(part, "title");
        card.body = bubble_text(part, "body");
        add_bubble_media(card.media, part, "media");
        card.buttons = bubble_buttons(part);
        bubble.cards.push_back(std::move(card));
    }
}

void draw_bubble_authentication(testing::FakeBubble& bubble, const BubbleJson& type,
                                const std::string& code) {
    bubble.body = "*" + code + "* is your verification code.";
    if (bubble_part(type, "add_security_recommendation") == true) {
        bubble.body += " For your security, do not share this code.";
    }
    const auto minutes = bubble_text(type, "code_expiration_minutes");
    if (!minutes.empty()) bubble.footer = "This code expires in " + minutes + " minutes.";
    for (auto& button : bubble.buttons) button.value = code;
}

/// Every type has its parts under the same few names.
void draw_bubble_type(testing::FakeBubble& bubble, const BubbleJson& type) {
    bubble.header = bubble_text(type, "header_text");
    bubble.body = bubble_text(type, "body");
    bubble.footer = bubble_text(type, "footer");
    if (bubble.body.empty())
        bubble.body = bubble_text(type, "title");
    else if (bubble.header.empty())
        bubble.header = bubble_text(type, "title");
    for (const auto* name : {"subtitle", "timeSlots"}) {
        if (bubble.footer.empty()) bubble.footer = bubble_text(type, name);
    }
    add_bubble_media(bubble.media, type, "media");
    add_bubble_media(bubble.media, type, "media_url");
    bubble.buttons = bubble_buttons(type);
    add_bubble_items(bubble, type);
    add_bubble_cards(bubble, type);
    for (const auto* name : {"button", "button_text"}) {
        if (bubble.list_button.empty()) bubble.list_button = bubble_text(type, name);
    }
    if (!bubble_text(type, "latitude").empty()) {
        bubble.locations.push_back({bubble_text(type, "latitude"), bubble_text(type, "longitude"),
                                    bubble_text(type, "label"), bubble_text(type, "address")});
        if (bubble.body.empty()) bubble.body = bubble_text(type, "label");
    }
}

void fill_bubble_json(BubbleJson& json, const testing::FakeContent& content,
                      const FakeVariables& variables) {
    if (json.is_string()) {
        json = fill_placeholders(json.get_ref<const std::string&>(), content, variables);
    } else if (json.is_structured()) {
        for (auto& part : json) fill_bubble_json(part, content, variables);
    }
}

/// Chooses from those that the template has: the channel's own first, plain text last.
std::string choose_bubble_type(const BubbleJson& types, bool whatsapp) {
    constexpr std::array<const char*, 4> plain{"twilio/text", "twilio/media", "twilio/location",
                                               "twilio/list-picker"};
    constexpr std::array<const char*, 14> rich{"whatsapp/card",         "whatsapp/authentication",
                                               "whatsapp/flows",        "twilio/carousel",
                                               "twilio/card",           "twilio/catalog",
                                               "twilio/flows",          "twilio/schedule",
                                               "twilio/list-picker",    "twilio/quick-reply",
                                               "twilio/call-to-action", "twilio/location",
                                               "twilio/media",          "twilio/text"};
    if (!whatsapp) {
        for (const auto* name : plain) {
            if (types.contains(name)) return name;
        }
    }
    for (const auto* name : rich) {
        if (types.contains(name)) return name;
    }
    return types.empty() ? std::string{} : types.begin().key();
}

}  // namespace

testing::FakeBubble draw_message(const FakeParameters& parameters, bool whatsapp) {
    testing::FakeBubble bubble;
    bubble.body = parameters.get("Body");
    bubble.media = parameters.all("MediaUrl");
    if (whatsapp && bubble.media.size() > 1) bubble.media.resize(1);
    for (const auto& action : parameters.all("PersistentAction")) {
        constexpr std::string_view scheme = "geo:";
        if (!action.starts_with(scheme) || !bubble.locations.empty()) continue;
        const auto bar = action.find('|');
        const auto point = action.substr(scheme.size(), bar - scheme.size());
        const auto comma = point.find(',');
        if (comma == std::string::npos) continue;
        bubble.locations.push_back({point.substr(0, comma), point.substr(comma + 1), bubble.body,
                                    bar == std::string::npos ? "" : action.substr(bar + 1)});
    }
    return bubble;
}

testing::FakeBubble draw_content(const testing::FakeContent& content,
                                 const FakeVariables& variables, bool whatsapp) {
    testing::FakeBubble bubble;
    auto types = BubbleJson::parse(content.types, nullptr, false);
    if (!types.is_object() || types.empty()) {
        bubble.type = "twilio/text";
        bubble.body = fill_placeholders(content.body, content, variables);
        return bubble;
    }
    bubble.type = choose_bubble_type(types, whatsapp);
    auto& type = types[bubble.type];
    fill_bubble_json(type, content, variables);
    draw_bubble_type(bubble, type);
    if (bubble.type == "whatsapp/authentication") {
        draw_bubble_authentication(bubble, type, fill_placeholders("{{1}}", content, variables));
    }
    return bubble;
}

}  // namespace twiliowa::testing::fake
