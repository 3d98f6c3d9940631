// A template from its definition to a message: made if it is not there, submitted to WhatsApp,
// waited for, sent. Run it again, and it finds the template.
#include <cstdio>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

wa::ContentDefinition order_shipped() {
    return {.friendly_name = "order_shipped",
            .language = "en",
            .variables = {{"1", "Ann"}, {"2", "A-1042"}},  // examples for WhatsApp's reviewers
            .types = {wa::QuickReplyContent{
                .body = "Hi {{1}}, your order {{2}} has left our house today. May we tell you "
                        "when it is near?",
                .actions = {wa::ContentAction::quick_reply("Yes, please", "track"),
                            wa::ContentAction::quick_reply("No, thanks", "quiet")}}}};
}

/// What is wrong with it, and whether it may be submitted all the same.
bool is_good(const wa::ContentDefinition& definition) {
    const auto findings = definition.check(wa::ContentUse::whatsapp);
    for (const auto& finding : findings) {
        std::printf("%s %s\n", std::string(to_string(finding.level)).c_str(),
                    finding.text().c_str());
    }
    return !refuses(findings);
}

/// The template, approved.
wa::ContentTemplate approved(const wa::ContentClient& contents) {
    const auto definition = order_shipped();
    const auto [action, content] = contents.upsert(definition);
    std::printf("%s is %s\n", content.definition.friendly_name.c_str(),
                std::string(to_string(action)).c_str());
    if (contents.fetch_approval(content.sid).status == wa::ApprovalStatus::unsubmitted) {
        contents.submit(content.sid,
                        {.name = content.definition.friendly_name,
                         .category = wa::TemplateCategory{wa::TemplateCategory::utility}});
    }
    const auto judged = contents.wait_until_approved(content.sid);
    std::printf("WhatsApp says: %s %s\n", judged.status.str().c_str(),
                judged.rejection_reason.str().c_str());
    if (!judged.is_approved()) {
        wa::Error::invalid_request("template", "was not approved", judged.rejection_reason.str())
            .raise();
    }
    return content;
}

}  // namespace

int main() try {
    if (!is_good(order_shipped())) return 1;
    const auto credentials = wa::Credentials::from_environment();
    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();  // shared by both clients
    const wa::ContentClient contents{credentials, options};
    const auto content = approved(contents);

    options.templates = std::make_shared<wa::Templates>(contents);
    const wa::MessagesClient client{credentials, options};
    const auto message = client.send_template({.to = "+447700900123",
                                               .content_sid = content.sid.str(),
                                               .variables = {{"1", "Lee"}, {"2", "A-2071"}}});
    std::printf("%s is %s\n", message.sid.str().c_str(), message.status.str().c_str());
} catch (const wa::TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
