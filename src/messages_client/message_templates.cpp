#include "messages_client/message_templates.hpp"

#include <utility>

#include "types/unsent_error.hpp"

namespace twiliowa::detail {

Result<const CompiledTemplate*> NeededTemplate::find(const TemplateCache* cache,
                                                     const std::string& sid) {
    if (cache == nullptr || sid.empty()) return nullptr;
    if (!looked_up) {
        auto known = cache->find(sid);
        if (!known) {
            missing = sid;
            return unsent_error(ErrorKind::invalid_request, "a template has to be looked up first");
        }
        looked_up.emplace(std::move(known));
    }
    if (!*looked_up) return looked_up->error();
    return (**looked_up).get();
}

Result<void> check_template(const CompiledTemplate& known, const CheckedOutbound& checked) {
    const auto& message = *checked.message;
    for (const auto* name : {"ContentSid", "ContentVariables"}) {
        if (!names_extra(message, name)) continue;
        return Error::invalid_request(name,
                                      "is given in extra, beside a template that is checked before "
                                      "it is sent: it would go unchecked",
                                      "give it in content_sid or content_variables");
    }
    const bool on_whatsapp =
        !checked.to.empty() && checked.to.channel() == Address::Channel::whatsapp;
    if (on_whatsapp && !known.is_approved) {
        if (auto refusal = standing_refusal(known)) return std::move(*refusal);
    }
    if (on_whatsapp && known.is_authentication && checked.to.phone_number().empty()) {
        return user_id_for_authentication();
    }
    return check_fit(known, message.content_variables, message.whitespace,
                     on_whatsapp && known.is_approved);
}

}  // namespace twiliowa::detail
