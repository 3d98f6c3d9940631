#include "message_view.hpp"

#include <twiliowa/types/error_advice.hpp>

#include "layout.hpp"
#include "moment.hpp"

namespace cli {

using twiliowa::Message;

namespace {

nlohmann::ordered_json number_or_null(const std::optional<int>& number) {
    return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
}

}  // namespace

nlohmann::ordered_json json_of_message(const Message& message, Numbers numbers) {
    nlohmann::ordered_json json{{"sid", message.sid.str()},
                                {"status", message.status.str()},
                                {"direction", message.direction.str()},
                                {"from", address_shown(message.from, numbers)},
                                {"to", address_shown(message.to, numbers)},
                                {"messaging_service_sid", message.messaging_service_sid},
                                {"body", nullptr},
                                {"num_media", number_or_null(message.num_media)},
                                {"error_code", number_or_null(message.error_code)},
                                {"error_message", message.error_message},
                                {"date_created", json_of(message.date_created)},
                                {"date_sent", json_of(message.date_sent)},
                                {"date_updated", json_of(message.date_updated)},
                                {"price", message.price},
                                {"price_unit", message.price_unit}};
    if (numbers == Numbers::whole) json["body"] = message.body;
    return json;
}

std::string text_of_message(const Message& message, Numbers numbers) {
    const auto code = message.error_code.value_or(0);
    std::string error;
    if (code != 0) {
        error = std::to_string(code);
        const std::string_view title = twiliowa::advise(code).title;
        error.append(title.empty() ? "" : " ").append(title);
    }
    return facts(
        {{"message", message.sid.str()},
         {"status", message.status.str()},
         {"direction", message.direction.str()},
         {"from", address_shown(message.from, numbers)},
         {"to", address_shown(message.to, numbers)},
         {"service", message.messaging_service_sid},
         {"text", numbers == Numbers::whole ? message.body : std::string{}},
         {"media", message.num_media.value_or(0) == 0 ? "" : std::to_string(*message.num_media)},
         {"created", text_of(message.date_created)},
         {"sent", text_of(message.date_sent)},
         {"error", error},
         {"price", message.price.empty() ? "" : message.price + " " + message.price_unit}});
}

}  // namespace cli
