#include "context_object.hpp"

#include <nlohmann/json.hpp>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>

namespace processor {

namespace wa = twiliowa;

namespace {

using Json = nlohmann::json;

wa::Result<std::string> text_at(const Json& object, const char* path) {
    const Json::json_pointer pointer{path};
    if (!object.contains(pointer)) return wa::Error::invalid_request(path, "is missing");
    const auto& value = object.at(pointer);
    if (!value.is_string()) return wa::Error::invalid_request(path, "is no text");
    return value.get<std::string>();
}

/// With or without `whatsapp:` before it.
wa::Result<std::string> number_at(const Json& object, const char* path) {
    auto text = text_at(object, path);
    if (!text) return text;
    const auto address = wa::Address::parse(*text, path);
    if (!address) return address.error();
    if (address->phone_number().empty() || address->channel() != wa::Address::Channel::whatsapp) {
        return wa::Error::invalid_request(path, "is no number on WhatsApp");
    }
    return address->text();
}

}  // namespace

wa::Result<ContextObject> read_context(const std::string& json) {
    const auto object = Json::parse(json, nullptr, false);
    if (!object.is_object()) return wa::Error::invalid_request("job", "is no JSON object");
    auto credentials =
        text_at(object, "/company_data_payload/channel_config/whatsapp/whatsapp_credentials_id");
    if (!credentials) return credentials.error();
    auto company =
        number_at(object, "/company_data_payload/channel_config/whatsapp/company_whatsapp_number");
    if (!company) return company.error();
    auto recipient = number_at(object, "/frontend_payload/recipient_data/recipient_tel");
    if (!recipient) return recipient.error();
    return ContextObject{std::move(*recipient), std::move(*credentials), std::move(*company), json};
}

}  // namespace processor
