#include "doctor_probes.hpp"

#include <array>
#include <chrono>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/http_headers.hpp>

#include "environment.hpp"
#include "text/dates.hpp"
#include "text/form.hpp"
#include "webhook_caller.hpp"
#ifdef TWILIOWA_CLI_SQLITE
#include "service_store.hpp"
#endif

namespace cli {

using twiliowa::find_header;
using twiliowa::SetupFinding;
using twiliowa::SetupLevel;

namespace {

constexpr std::chrono::seconds probe_time{10};

bool is_set(const char* name) {
    return !environment(name).empty();
}

SetupFinding ok(std::string subject, std::string what) {
    return {.subject = std::move(subject), .what = std::move(what)};
}

/// The first variable that sends requests for `url` through a proxy; empty without any.
std::string proxy_variable(const std::string& url) {
    constexpr std::array https{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    constexpr std::array http{"http_proxy", "all_proxy", "ALL_PROXY"};
    if (url.starts_with("https:")) {
        for (const char* name : https) {
            if (is_set(name)) return name;
        }
        return {};
    }
    for (const char* name : http) {
        if (is_set(name)) return name;
    }
    return {};
}

SetupFinding clock_finding(const twiliowa::HttpHeaders& headers) {
    const auto date = twiliowa::detail::parse_http_date(find_header(headers, "Date"));
    if (!date) {
        return {.level = SetupLevel::warning,
                .subject = "clock",
                .what = "could not be compared: the answer has no date",
                .way_out = "look whether this machine's time is right"};
    }
    constexpr std::chrono::seconds bearable{30};
    const auto ahead =
        std::chrono::duration_cast<std::chrono::seconds>(twiliowa::system_clock()->now() - *date);
    if (ahead <= bearable && ahead >= -bearable) return ok("clock", "agrees with Twilio's");
    const auto seconds = std::to_string(std::chrono::abs(ahead).count());
    return {
        .level = SetupLevel::warning,
        .subject = "clock",
        .what =
            "is " + seconds + (ahead.count() > 0 ? " s ahead of Twilio's" : " s behind Twilio's"),
        .way_out = "let this machine's time be set by NTP: windows, schedules and looks go by it"};
}

SetupFinding region_finding(const twiliowa::ClientOptions& options) {
    const std::string region{options.region};
    const std::string edge{options.edge};
    if (region.empty() && edge.empty()) return ok("region", "us1, Twilio's default");
    return ok("region", (region.empty() ? std::string{} : region + " ") +
                            (edge.empty() ? std::string{} : "by the edge " + edge + " ") +
                            "- credentials and senders are of one region");
}

/// What belongs to no message: a bot of this library answers it, and calls no handler for messages.
twiliowa::WebhookRequest probe(const std::string& url, const std::string& account_sid,
                               const twiliowa::Secret& token) {
    twiliowa::WebhookRequest request;
    twiliowa::detail::append_form_field(request.body, "AccountSid", account_sid);
    twiliowa::detail::append_form_field(request.body, "TwiliowaProbe", "doctor");
    const twiliowa::RequestValidator validator{token};
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"},
                       {"X-Twilio-Signature", validator.sign({.url = url, .body = request.body})}};
    return request;
}

SetupFinding signed_finding(const twiliowa::Result<twiliowa::WebhookResponse>& answer) {
    constexpr const char* subject = "callback_answer";
    if (!answer) {
        return {.level = SetupLevel::wrong,
                .subject = subject,
                .what = "the bot could not be called: " + answer.error().what(),
                .way_out = "start it, or look where the URL leads: name, port, proxy, certificate"};
    }
    const auto status = std::to_string(answer->status);
    if (answer->status / 100 == 2) return ok(subject, "a signed request is answered " + status);
    if (answer->status == 401 || answer->status == 403) {
        return {.level = SetupLevel::wrong,
                .subject = subject,
                .what = "a signed request is refused (" + status + ")",
                .way_out =
                    "the bot has another auth token, or takes another URL for its own: see "
                    "twiliowa verify --explain"};
    }
    return {.level = answer->status >= 500 || answer->status == 404 ? SetupLevel::wrong
                                                                    : SetupLevel::warning,
            .subject = subject,
            .what = "a signed request that is no message is answered " + status,
            .way_out = "look at the bot's log, and at the URL's path"};
}

SetupFinding forged_finding(const twiliowa::WebhookResponse& answer) {
    constexpr const char* subject = "callback_signature";
    if (answer.status / 100 != 2) {
        return ok(subject,
                  "what Twilio has not signed is refused (" + std::to_string(answer.status) + ")");
    }
    return {.level = SetupLevel::wrong,
            .subject = subject,
            .what = "the bot takes requests that Twilio has not signed",
            .way_out =
                "have it check X-Twilio-Signature: anybody can write to it in a customer's "
                "name"};
}

}  // namespace

std::vector<SetupFinding> environment_findings() {
    constexpr const char* subject = "environment";
    std::vector<SetupFinding> all;
    if (is_set("TWILIO_API_KEY") && is_set("TWILIO_AUTH_TOKEN")) {
        all.push_back(ok(subject, "the API key signs requests, the auth token verifies webhooks"));
    } else if (!is_set("TWILIO_AUTH_TOKEN")) {
        all.push_back({.level = SetupLevel::warning,
                       .subject = subject,
                       .what = "TWILIO_AUTH_TOKEN is not set: webhooks cannot be verified",
                       .way_out = "set it for programs that receive"});
    } else {
        all.push_back(ok(subject, "the auth token signs requests and verifies webhooks"));
    }
    return all;
}

std::vector<SetupFinding> network_findings(const std::string& url,
                                           const twiliowa::ClientOptions& options,
                                           const twiliowa::CallOptions& call) {
    std::vector<SetupFinding> all;
    const auto proxy = proxy_variable(url);
    all.push_back(ok("proxy", proxy.empty() ? "none"
                                            : "the one that " + proxy + " names, unless NO_PROXY " +
                                                  "has the host"));
    twiliowa::CurlTransport transport;
    const auto answer = transport.send(
        {.url = url}, {.deadline = twiliowa::system_clock()->monotonic_now() + probe_time,
                       .cancel = call.cancel});
    const bool is_tls = url.starts_with("https:");
    if (!answer) {
        const bool by_certificate = answer.error().stage() == twiliowa::Stage::tls;
        all.push_back({.level = SetupLevel::wrong,
                       .subject = by_certificate ? "certificate" : "network",
                       .what = answer.error().what(),
                       .way_out = by_certificate ? "install ca-certificates, or name the file of "
                                                   "authorities in SSL_CERT_FILE"
                                                 : "look at the network, the proxy, the base URL"});
    } else {
        if (is_tls) all.push_back(ok("certificate", "Twilio's is trusted"));
        all.push_back(clock_finding(answer->headers));
    }
    all.push_back(region_finding(options));
    return all;
}

std::vector<SetupFinding> callback_findings(const std::string& url, const std::string& account_sid,
                                            const twiliowa::CallOptions& call) {
    std::vector<SetupFinding> all;
    const auto hash = url.find('#');
    if (hash == url.npos || url.find("rc=", hash) == url.npos) {
        all.push_back({.level = SetupLevel::warning,
                       .subject = "callback_retries",
                       .what = "Twilio tries once, and again only if it could not connect",
                       .way_out = "enter the URL with #rc=3&rp=all behind it"});
    } else {
        all.push_back(ok("callback_retries", "Twilio tries again: " + url.substr(hash)));
    }
    const auto token = environment("TWILIO_AUTH_TOKEN");
    if (token.empty()) return all;
    const auto called = url.substr(0, hash);
    WebhookCaller caller{call.cancel};
    const auto answer = caller.call(called, probe(called, account_sid, twiliowa::Secret{token}));
    all.push_back(signed_finding(answer));
    if (!answer) return all;
    const auto forged =
        caller.call(called, probe(called, account_sid, twiliowa::Secret{"somebody else's"}));
    if (forged) all.push_back(forged_finding(*forged));
    return all;
}

#ifdef TWILIOWA_CLI_SQLITE
std::vector<SetupFinding> store_findings() {
    if (!is_set("TWILIOWA_STORE")) return {};
    try {
        open_service_store(store_place(""), IfMissing::refuse);
        return {ok("store", "what TWILIOWA_STORE names can be opened")};
    } catch (const twiliowa::TwilioError& failed) {
        return {{.level = SetupLevel::wrong,
                 .subject = "store",
                 .what = failed.error().what(),
                 .way_out = failed.error().hint()}};
    }
}
#endif

}  // namespace cli
