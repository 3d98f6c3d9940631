#include <twiliowa/content/render.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "content/chosen_type.hpp"
#include "content/definition_json.hpp"
#include "content/variable_text.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Puts values in the place of variables.
class Filler {
public:
    Filler(const ContentDefinition& definition, const TemplateVariables& variables,
           std::vector<std::string>& unfilled)
        : definition_(definition), variables_(variables), unfilled_(unfilled) {}

    void fill(ContentJson& json) const {
        if (json.is_string()) {
            json = filled(json.get_ref<const std::string&>());
        } else if (json.is_structured()) {
            for (auto& each : json) fill(each);
        }
    }
    std::string value_of(std::string_view name) const {
        if (const auto* value = variables_.find(name)) return *value;
        if (const auto* sample = definition_.variables.find(name)) return *sample;
        return {};
    }

private:
    std::string filled(std::string_view text) const {
        return replace_variables(text, [this](std::string_view name, std::string_view as_written) {
            return value_or(name, as_written);
        });
    }
    std::string_view value_or(std::string_view name, std::string_view as_written) const {
        if (const auto* value = variables_.find(name)) return *value;
        if (const auto* sample = definition_.variables.find(name)) return *sample;
        if (std::find(unfilled_.begin(), unfilled_.end(), name) == unfilled_.end()) {
            unfilled_.emplace_back(name);
        }
        return as_written;
    }

    const ContentDefinition& definition_;
    const TemplateVariables& variables_;
    std::vector<std::string>& unfilled_;
};

/// The text or number of that name.
std::string rendered_text(const ContentJson& json, std::string_view name) {
    const auto* member = find_member(json, name);
    if (member == nullptr) return {};
    if (member->is_number()) return member->dump();
    return std::string(text_member(json, name));
}

/// The first of the names that has a text.
std::string first_text(const ContentJson& json, std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (auto text = rendered_text(json, name); !text.empty()) return text;
    }
    return {};
}

/// Calls `take` for each element of the array of that name, or for the one value in its place.
template <class Take>
void for_each_part(const ContentJson& json, std::string_view name, Take take) {
    const auto* member = find_member(json, name);
    if (member == nullptr || member->is_null()) return;
    if (!member->is_array()) return take(*member);
    for (const auto& each : *member) take(each);
}

void render_media(std::vector<std::string>& media, const ContentJson& json, std::string_view name) {
    for_each_part(json, name, [&](const ContentJson& url) {
        if (url.is_string() && !url.get_ref<const std::string&>().empty()) media.push_back(url);
    });
}

std::vector<RenderedButton> render_buttons(const ContentJson& json) {
    std::vector<RenderedButton> buttons;
    for_each_part(json, "actions", [&](const ContentJson& action) {
        RenderedButton button;
        const auto type = rendered_text(action, "type");
        button.type = ContentActionType{type.empty() ? ContentActionType::quick_reply
                                                     : std::string_view{type}};
        button.title = first_text(action, {"title", "copy_code_text"});
        button.id = rendered_text(action, "id");
        button.value = first_text(action, {"url", "phone", "code"});
        buttons.push_back(std::move(button));
    });
    return buttons;
}

/// The types have their parts under the same few names.
void render_parts(RenderedContent& rendered, const ContentJson& json) {
    const auto title = rendered_text(json, "title");
    rendered.body = rendered_text(json, "body");
    rendered.header = rendered_text(json, "header_text");
    if (rendered.body.empty()) {
        rendered.body = title;
    } else if (rendered.header.empty()) {
        rendered.header = title;
    }
    rendered.footer = first_text(json, {"footer", "subtitle", "timeSlots"});
    render_media(rendered.media, json, "media");
    render_media(rendered.media, json, "media_url");
    rendered.buttons = render_buttons(json);
    rendered.list_button = first_text(json, {"button", "button_text"});
    for_each_part(json, "items", [&](const ContentJson& item) {
        if (!item.is_object()) return;
        rendered.items.push_back({rendered_text(item, "id"), first_text(item, {"item", "name"}),
                                  rendered_text(item, "description")});
    });
    for_each_part(json, "cards", [&](const ContentJson& part) {
        RenderedCard card{rendered_text(part, "title"), rendered_text(part, "body")};
        render_media(card.media, part, "media");
        card.buttons = render_buttons(part);
        rendered.cards.push_back(std::move(card));
    });
    rendered.latitude = rendered_text(json, "latitude");
    rendered.longitude = rendered_text(json, "longitude");
    if (!rendered.latitude.empty() && rendered.body.empty()) {
        rendered.body = rendered_text(json, "label");
    }
}

/// WhatsApp's own words around the code.
void render_authentication(RenderedContent& rendered, const ContentJson& json,
                           const std::string& code) {
    rendered.body = "*" + code + "* is your verification code.";
    const auto* advice = find_member(json, "add_security_recommendation");
    if (advice != nullptr && *advice == true) {
        rendered.body += " For your security, do not share this code.";
    }
    const auto minutes = rendered_text(json, "code_expiration_minutes");
    if (!minutes.empty()) rendered.footer = "This code expires in " + minutes + " minutes.";
    for (auto& button : rendered.buttons) button.value = code;
}

}  // namespace
}  // namespace detail

RenderedContent render(const ContentDefinition& definition, const TemplateVariables& variables,
                       Address::Channel channel) {
    RenderedContent rendered;
    const auto* chosen = detail::chosen_type(definition.types, channel);
    if (chosen == nullptr) return rendered;
    rendered.type = type_name(*chosen);
    auto json = detail::write_content_type(*chosen);
    const detail::Filler filler{definition, variables, rendered.unfilled};
    filler.fill(json);
    detail::render_parts(rendered, json);
    if (rendered.type == AuthenticationContent::type) {
        detail::render_authentication(rendered, json, filler.value_of("1"));
    }
    return rendered;
}

}  // namespace twiliowa
