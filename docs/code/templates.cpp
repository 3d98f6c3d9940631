// What docs/templates.md shows.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/content/template_text.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [definition]
const wa::ContentDefinition order_shipped{
    .friendly_name = "order_shipped",
    .language = "en",
    .variables = {{"1", "Ann"}, {"2", "A-1042"}},
    .types = {wa::QuickReplyContent{
        .body = "Hi {{1}}, your order {{2}} has left our house today. Questions? We are here.",
        .actions = {wa::ContentAction::quick_reply("Where is it?", "track")}}}};
// [definition]

/// Whether it may be submitted.
bool is_good() {
    // [check]
    const auto findings = order_shipped.check(wa::ContentUse::whatsapp);
    for (const auto& finding : findings) {
        std::printf("%s %s\n", std::string(to_string(finding.level)).c_str(),
                    finding.text().c_str());
    }
    // [check]
    return !refuses(findings);
}

wa::ContentSid make(const wa::ContentClient& contents) {
    // [make]
    const auto made = contents.upsert(order_shipped);  // unchanged, updated or created
    const auto sid = made.content.sid;
    if (contents.fetch_approval(sid).status == wa::ApprovalStatus::unsubmitted) {
        const wa::TemplateCategory utility{wa::TemplateCategory::utility};
        contents.submit(sid, {.name = "order_shipped", .category = utility});
    }
    const auto judged = contents.wait_until_approved(sid);
    if (!judged.is_approved()) {
        std::printf("%s: %s\n", judged.status.str().c_str(), judged.rejection_reason.str().c_str());
    }
    // [make]
    return sid;
}

wa::MessagesClient knowing_client(const wa::Credentials& credentials, wa::ClientOptions options) {
    // [client]
    options.templates = std::make_shared<wa::Templates>(wa::ContentClient{credentials, options});
    const wa::MessagesClient client{credentials, options};
    // [client]
    return client;
}

/// Whether the send was refused and, with everything given, done.
bool send(const wa::MessagesClient& client, const std::string& sid) {
    // [refused]
    const auto refused = client.try_send_template(
        {.to = "+447700900123", .content_sid = sid, .variables = {{"1", "Lee"}}});
    std::printf("%s\n", refused.error().what().c_str());
    // [refused]
    // [defaults]
    wa::TemplateVariables variables{{"2", "A-2071"}};
    variables.use_default("1");  // the customer reads "Hi Ann": the sample
    // [defaults]
    const auto sent = client.try_send_template(
        {.to = "+447700900123", .content_sid = sid, .variables = variables});
    return refused.error().code() == 21656 && sent.has_value();
}

bool keep(wa::Templates& templates, const std::string& sid, const std::string& path) {
    // [render]
    const auto seen = templates.render(sid, {{"1", "Lee"}, {"2", "A-2071"}});
    std::printf("%s\n[%s]\n", seen.body.c_str(), seen.buttons.at(0).title.c_str());
    // [render]
    // [verify]
    templates.verify_all({{.content_sid = sid, .variables = {"1", "2"}}});
    // [verify]
    // [file]
    templates.try_save_file(path).value();  // for tests, CI and the next start
    const auto offline = wa::Templates::from_file(path);
    // [file]
    std::remove(path.c_str());
    return offline->get(sid).definition.same_content(order_shipped);
}

std::string typed() {
    // [text]
    constexpr auto shipped = wa::template_text<"Hi {{1}}, your {{2}} has been shipped">;
    const auto variables = shipped.variables("Lee", "order A-2071");  // two, or it does not compile
    // [text]
    return variables.to_json();
}

}  // namespace

int main() {
    const auto fake = wa::testing::FakeTwilio::with_account();
    const wa::ContentClient contents{fake->credentials(), fake->client_options()};
    if (!is_good()) return 1;
    const auto sid = make(contents).str();
    if (!send(knowing_client(fake->credentials(), fake->client_options()), sid)) return 1;
    wa::Templates templates{contents};
    if (!keep(templates, sid, "twiliowa_docs_templates.json")) return 1;
    return typed() == R"({"1":"Lee","2":"order A-2071"})" ? 0 : 1;
}
