#include "testing/fake_twilio/messages/twiml.hpp"

#include <utility>

#include "testing/fake_twilio/messages/xml.hpp"
#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

FakeVerb read_message_verb(const FakeXmlElement& element) {
    FakeVerb verb;
    verb.to = element.attribute("to");
    verb.from = element.attribute("from");
    verb.status_callback = element.attribute("action");
    if (verb.status_callback.empty()) verb.status_callback = element.attribute("statusCallback");
    bool has_body = false;
    for (const auto& child : element.children) {
        if (child.name == "Body") {
            verb.body += child.text;
            has_body = true;
        }
        if (child.name == "Media")
            verb.media.emplace_back(detail::trim(child.text, detail::white_space));
    }
    if (!has_body) verb.body = detail::trim(element.text, detail::white_space);
    return verb;
}

}  // namespace

std::optional<std::vector<FakeVerb>> parse_twiml(std::string_view text) {
    const auto root = parse_xml(text);
    if (!root || root->name != "Response") return std::nullopt;
    std::vector<FakeVerb> verbs;
    for (const auto& element : root->children) {
        if (element.name == "Message" || element.name == "Sms") {
            verbs.push_back(read_message_verb(element));
        } else if (element.name == "Redirect") {
            FakeVerb verb;
            verb.kind = FakeVerb::Kind::redirect;
            verb.body = detail::trim(element.text, detail::white_space);
            verb.method = element.attribute("method");
            verbs.push_back(std::move(verb));
        }
    }
    return verbs;
}

}  // namespace twiliowa::testing::fake
