// Variables that a language model wrote. What does not fit the template is refused before anything
// leaves, and the error says what the template expects: enough to ask the model again.
#include <cstdio>
#include <string>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

constexpr const char* content_sid = "HX00000000000000000000000000000001";

/// Sends what the model wrote, or says what is wrong with it.
std::string send(const wa::MessagesClient& client, const std::string& written) {
    auto variables = wa::TemplateVariables::from_json(written);
    if (!variables) return variables.error().what();
    const auto sent = client.try_send_template({.to = "+447700900123",
                                                .content_sid = content_sid,
                                                .variables = std::move(*variables),
                                                .whitespace = wa::WhitespacePolicy::normalise});
    return sent ? "sent " + sent->sid.str()
                : std::string(sent.error().what()) + "\n   -> " + sent.error().hint();
}

}  // namespace

int main() try {
    const auto credentials = wa::Credentials::from_environment();
    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();
    options.templates = std::make_shared<wa::Templates>(wa::ContentClient{credentials, options});
    const wa::MessagesClient client{credentials, options};

    const std::vector<std::string> written_by_the_model{
        R"({"1": "Lee", "2": "A-1042"})",
        R"({"1": "Lee"})",                                   // one is missing
        R"({"1": "Lee", "2": "A-1042", "name": "Lee"})",     // one too many
        R"({"1": "Lee", "2": 1042})",                        // a number
        R"({"1": "Lee", "2": "A-1042\n\nAnything else?"})",  // new lines: normalised
        R"(Sure! Here is your JSON: {"1": "Lee"})",
    };
    for (const auto& written : written_by_the_model) {
        std::printf("%s\n   %s\n", written.c_str(), send(client, written).c_str());
    }
} catch (const wa::TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
