#include "context_object.hpp"

#include <nlohmann/json.hpp>

#include <twiliowa/types/error.hpp>

#include "support/members.hpp"

namespace processor {

namespace wa = twiliowa;

wa::Result<ContextObject> read_context(const std::string& json) {
    const auto object = nlohmann::json::parse(json, nullptr, false);
    if (!object.is_object()) return wa::Error::invalid_request("job", "is no JSON object");
    const std::string whatsapp = "/company_data_payload/channel_config/whatsapp/";
    const auto credentials = support::text_at(object, whatsapp + "whatsapp_credentials_id");
    if (!credentials) return credentials.error();
    const auto company = support::number_at(object, whatsapp + "company_whatsapp_number");
    if (!company) return company.error();
    const auto recipient =
        support::number_at(object, "/frontend_payload/recipient_data/recipient_tel");
    if (!recipient) return recipient.error();
    return ContextObject{recipient->text(), *credentials, company->text(), json};
}

}  // namespace processor
