#include "trigger.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "club_templates.hpp"
#include "support/members.hpp"

namespace registration {

namespace wa = twiliowa;

namespace {

/// Nine of them and the template's own text are less than the 1,024 characters of WhatsApp.
constexpr std::ptrdiff_t max_characters = 80;

struct Field {
    const char* name;
    /// What the template says where the field is empty; null: it must not be.
    const char* otherwise = nullptr;
};
constexpr Field fields[] = {
    {"parent_first_name"},
    {"player_first_name"},
    {"team_name"},
    {"age_group"},
    {"current_registration_season"},
    {"membership_fee_amount"},
    {"subscription_fee_amount"},
    {"team_manager_1_full_name", "the club office"},
    {"team_manager_1_tel", "see our website"},
};

}  // namespace

wa::Result<std::string> one_line(std::string_view name, const std::string& text) {
    wa::TemplateVariables line{{"1", text}};
    if (!line.try_require_all({"1"})) return std::string{};
    const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    });
    if (characters > max_characters) {
        return wa::Error::invalid_request(name, "is longer than 80 characters");
    }
    if (!line.check(wa::WhitespacePolicy::normalise)) {
        return wa::Error::invalid_request(name, "holds what no text may hold");
    }
    return wa::normalised_variable(text);
}

wa::Result<Trigger> read_trigger(const nlohmann::json& body) {
    Trigger trigger;
    const auto number = support::number_at(body, "parent_tel");
    if (!number) return number.error();
    trigger.parent_tel = number->phone_number();
    if (const auto said = body.find("use_defaults"); said != body.end()) {
        if (!said->is_boolean()) {
            return wa::Error::invalid_request("use_defaults", "is neither true nor false");
        }
        trigger.use_defaults = said->get<bool>();
    }
    for (const auto& [name, otherwise] : fields) {
        const auto text = support::words_at(body, name);
        if (!text) return text.error();
        auto line = one_line(name, *text);
        if (!line) return line.error();
        if (line->empty() && otherwise == nullptr && !trigger.use_defaults) {
            return wa::Error::invalid_request(name, "is missing or empty");
        }
        trigger.fields.emplace(name, std::move(*line));
    }
    return trigger;
}

wa::Result<wa::OutboundText> read_message(const nlohmann::json& body) {
    const auto to = support::number_at(body, "to");
    if (!to) return to.error();
    auto text = support::words_at(body, "text");
    if (!text) return text.error();
    if (text->empty()) return wa::Error::invalid_request("text", "is missing or empty");
    return wa::OutboundText{.to = std::string{to->phone_number()}, .body = std::move(*text)};
}

wa::OutboundMessage to_template(const Trigger& trigger) {
    if (trigger.use_defaults) {
        wa::OutboundTemplate message{
            .to = trigger.parent_tel,
            .content_sid = templates::RegistrationIsOpenVariables::content_sid};
        message.variables.use_all_defaults();
        return message;
    }
    std::string values[std::size(fields)];
    std::transform(std::begin(fields), std::end(fields), values, [&](const Field& field) {
        const auto& value = trigger.fields.at(field.name);
        return value.empty() ? std::string{field.otherwise} : value;
    });
    return templates::registration_is_open(trigger.parent_tel, {.name = values[0],
                                                                .player = values[1],
                                                                .team = values[2],
                                                                .age_group = values[3],
                                                                .season = values[4],
                                                                .membership_fee = values[5],
                                                                .subscription_fee = values[6],
                                                                .team_manager = values[7],
                                                                .number = values[8]});
}

}  // namespace registration
