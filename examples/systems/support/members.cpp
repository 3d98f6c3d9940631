#include "members.hpp"

#include <nlohmann/json.hpp>

#include <twiliowa/types/error.hpp>

namespace support {

namespace wa = twiliowa;

wa::Result<std::string> text_at(const nlohmann::json& object, const std::string& name) {
    const nlohmann::json::json_pointer path{name.starts_with('/') ? name : '/' + name};
    if (!object.contains(path)) return wa::Error::invalid_request(name, "is missing");
    const auto& value = object.at(path);
    if (!value.is_string()) return wa::Error::invalid_request(name, "is no text");
    auto text = value.get<std::string>();
    if (text.empty() || text.find('\0') != std::string::npos) {
        return wa::Error::invalid_request(name, "is empty, or has a zero byte");
    }
    return text;
}

wa::Result<std::string> words_at(const nlohmann::json& object, const std::string& name) {
    const auto member = object.find(name);
    if (member == object.end() || member->is_null()) return std::string{};
    if (member->is_string()) return member->get<std::string>();
    if (member->is_number()) return member->dump();
    return wa::Error::invalid_request(name, "is neither text nor number");
}

wa::Result<wa::Address> address_at(const nlohmann::json& object, const std::string& name) {
    const auto text = text_at(object, name);
    if (!text) return text.error();
    auto address = wa::Address::parse(*text, name);
    if (address && address->channel() != wa::Address::Channel::whatsapp) {
        return wa::Error::invalid_request(name, "is not on WhatsApp");
    }
    return address;
}

wa::Result<wa::Address> number_at(const nlohmann::json& object, const std::string& name) {
    auto address = address_at(object, name);
    if (address && address->phone_number().empty()) {
        return wa::Error::invalid_request(name, "is no number on WhatsApp");
    }
    return address;
}

}  // namespace support
