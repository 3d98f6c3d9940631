// `twiliowa verify`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/http_headers.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "definition_file.hpp"
#include "layout.hpp"
#include "text/form.hpp"

namespace cli {

namespace {

using twiliowa::find_header;
using Json = nlohmann::ordered_json;

struct VerifyOptions {
    std::string method = "POST";
    std::string url = {};
    std::string body = {};
    std::string signature = {};
    std::vector<std::string> headers = {};
    bool explain = false;
};

twiliowa::HttpHeaders headers_of(const std::vector<std::string>& lines) {
    twiliowa::HttpHeaders headers;
    for (const auto& line : lines) {
        const auto colon = line.find(':');
        if (colon == 0 || colon == line.npos) {
            throw usage_failure("--header is not 'Name: value'", "twiliowa verify --help");
        }
        const auto value = line.find_first_not_of(' ', colon + 1);
        headers.emplace_back(line.substr(0, colon),
                             value == line.npos ? std::string{} : line.substr(value));
    }
    return headers;
}

/// What is signed after the URL, by name only: the values are a customer's.
std::vector<std::string> names_in(std::string_view form) {
    std::vector<std::string> names;
    for (auto& [name, value] : twiliowa::detail::parse_form(form)) names.push_back(std::move(name));
    std::sort(names.begin(), names.end());
    return names;
}

bool is_form(std::string_view content_type) {
    return content_type.empty() || content_type.starts_with("application/x-www-form-urlencoded");
}

/// What a server behind a proxy would have to take for the URL, going by the headers.
std::string url_by_headers(const VerifyOptions& options, const twiliowa::HttpHeaders& headers) {
    twiliowa::WebhookRequest request{.method = options.method, .scheme = "http"};
    const auto scheme_end = options.url.find("://");
    if (scheme_end == options.url.npos) return {};
    const auto path = options.url.find('/', scheme_end + 3);
    request.target = path == options.url.npos ? "/" : options.url.substr(path);
    request.headers = headers;
    request.peer = "127.0.0.1";
    const auto url = twiliowa::PublicUrl::behind_proxies({"127.0.0.1"}).url_of(request);
    return url ? *url : std::string{};
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all.append(all.empty() ? "" : " ").append(text);
    return all;
}

ExitCode verify(const VerifyOptions& options, Context& context) {
    const auto headers = headers_of(options.headers);
    const auto body = options.body.empty() ? std::string{} : text_of_file(options.body, "--body");
    const std::string signature{options.signature.empty()
                                    ? find_header(headers, "X-Twilio-Signature")
                                    : std::string_view{options.signature}};
    const std::string content_type{find_header(headers, "Content-Type")};
    const twiliowa::RequestValidator validator{context.auth_token()};
    const auto verdict = validator.check({.method = options.method,
                                          .url = options.url,
                                          .content_type = content_type,
                                          .body = body,
                                          .signature = signature});
    Json json{{"ok", verdict.ok()}, {"reason", to_string(verdict.reason)}, {"hint", verdict.hint}};
    std::vector<std::pair<std::string, std::string>> lines{
        {"signature", verdict.ok() ? "ok: Twilio sent it" : "refused"},
        {"reason", verdict.ok() ? std::string{} : std::string{to_string(verdict.reason)}},
        {"way out", std::string{verdict.hint}}};
    if (options.explain) {
        const auto names = is_form(content_type) ? names_in(body) : std::vector<std::string>{};
        const auto by_headers = url_by_headers(options, headers);
        json["method"] = options.method;
        json["url"] = options.url;
        json["url_by_headers"] = by_headers;
        json["content_type"] = content_type;
        json["body_bytes"] = body.size();
        json["parameters"] = names;
        lines.insert(lines.end(), {{"method", options.method},
                                   {"URL", options.url},
                                   {"by headers", by_headers},
                                   {"content type", content_type},
                                   {"body", std::to_string(body.size()) + " bytes"},
                                   {"parameters", joined(names)}});
    }
    context.output.result(json, facts(lines));
    return verdict.ok() ? ExitCode::done : ExitCode::refused;
}

Action declare_verify(CLI::App& app) {
    const auto options = std::make_shared<VerifyOptions>();
    app.add_option("--url", options->url,
                   "What Twilio called, as it is entered at Twilio, with its query")
        ->type_name("URL")
        ->required();
    app.add_option("--body", options->body,
                   "A file with the body's bytes as they came; -: standard input")
        ->type_name("FILE");
    app.add_option("--signature", options->signature,
                   "The X-Twilio-Signature header; or give it with --header")
        ->type_name("TEXT");
    app.add_option("--header", options->headers,
                   "A header as it came: 'Content-Type: ...', 'X-Forwarded-Proto: https'")
        ->type_name("HEADER");
    app.add_option("--method", options->method, "How it came")
        ->check(CLI::IsMember({"POST", "GET"}))
        ->capture_default_str();
    app.add_flag("--explain", options->explain, "What was signed, by name");
    return [options](Context& context) { return verify(*options, context); };
}

}  // namespace

std::vector<Command> verify_commands() {
    return {{.noun = "verify",
             .summary = "Finds out whether Twilio signed a request, or why it does not fit",
             .details = "With TWILIO_AUTH_TOKEN, and without the network. Ends with 1 if it does "
                        "not fit.",
             .examples = {"twiliowa verify --url https://bot.example.com/whatsapp --body hook.form "
                          "--signature \"$(cat hook.signature)\"",
                          "twiliowa verify --url https://bot.example.com/whatsapp --body hook.form "
                          "--header \"X-Twilio-Signature: $(cat hook.signature)\" --explain"},
             .declare = declare_verify}};
}

}  // namespace cli
