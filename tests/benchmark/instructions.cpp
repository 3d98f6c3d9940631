// Counts instructions and allocations under callgrind, where noise cannot move them: each part of
// the library beside bare libcurl, or beside the SHA-1 of a verification, in the same run. Only
// this process is counted, all its threads; the server is another. See instructions.sh.
//
//     instructions <ca file> <plain base URL> <TLS base URL> <HTTP/2 base URL>
//
// Prints the versions that the counts depend on, and of each part a line
// `part <name> <floor> <times> <allocations>`; callgrind's dump of that name has its instructions.
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <valgrind/callgrind.h>

#include "allocations.hpp"
#include "bare_curl.hpp"
#include "instant_transport.hpp"
#include "sample.hpp"
#include "webhook_sample.hpp"

namespace {

namespace wa = twiliowa;
using namespace benchmark_support;

void require(bool held, const char* what) {
    if (held) return;
    std::fprintf(stderr, "instructions: %s\n", what);
    std::exit(1);
}

/// `work` is done a few times first, for connections and caches; `floor` is what it is compared to.
template <class Work>
void count(const std::string& name, const std::string& floor, int times, Work work) {
    constexpr int warm_up = 10;
    for (int i = 0; i < warm_up; ++i) work();
    auto& counter = allocations();
    counter.count = 0;
    counter.counting = true;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    for (int i = 0; i < times; ++i) work();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    counter.counting = false;
    std::printf("part %s %s %d %ld\n", name.c_str(), floor.c_str(), times, counter.count.load());
}

void count_sends(const std::string& wire, const std::string& ca_file, const std::string& base_url,
                 bool http2) {
    constexpr int times = 100;
    const auto floor = wire + "_bare";
    BareRequest bare(sample_request(base_url), ca_file, http2);
    count(floor, floor, times, [&] { bare.perform(); });

    wa::CurlOptions options;
    options.ca_file = ca_file;
    options.http2 = http2;
    const auto client = sample_client(std::make_shared<wa::CurlTransport>(options), base_url);
    count(wire + "_blocking", floor, times, [&] {
        require(client.try_send_template(sample_message()).has_value(), "a send failed");
    });
    count(wire + "_async", floor, times, [&] {
        std::promise<bool> sent;
        client.async_send_template(sample_message(), [&](wa::Result<wa::Message> result) {
            sent.set_value(result.has_value());
        });
        require(sent.get_future().get(), "an asynchronous send failed");
    });
}

void count_own_work() {
    const auto transport = std::make_shared<InstantTransport>(benchmark_answer());
    const auto client = sample_client(transport);
    count("own_blocking", "sha1", 200, [&] {
        require(client.try_send_template(sample_message()).has_value(), "own work failed");
    });
    count("own_async", "sha1", 200, [&] {
        bool sent = false;
        client.async_send_template(
            sample_message(), [&](wa::Result<wa::Message> result) { sent = result.has_value(); });
        transport->run();
        require(sent, "asynchronous own work failed");
    });

    // The same client, now with its templates known.
    wa::ClientOptions options;
    options.from = "+14155238886";
    options.transport = transport;
    options.templates = wa::Templates::from_json(R"({"contents": [{
        "sid": "HX00000000000000000000000000000001", "variables": {"1": "Ann", "2": "A-1"},
        "types": {"twilio/text": {"body": "Hi {{1}}, your order {{2}} is on its way"}},
        "approval_requests": {"status": "approved", "category": "UTILITY"}}]})");
    const wa::MessagesClient knowing{
        wa::Credentials::auth_token("AC00000000000000000000000000000001",
                                    "0123456789abcdef0123456789abcdef"),
        options};
    count("own_templates", "own_blocking", 200, [&] {
        require(knowing.try_send_template(sample_message()).has_value(), "own work failed");
    });
}

void count_page() {
    const auto message = benchmark_answer();
    std::string page = R"({"messages":[)";
    for (int i = 0; i < 50; ++i) page += (i == 0 ? "" : ",") + message;
    page += R"(],"next_page_uri":null,"page":0,"page_size":50,"uri":"/x"})";
    const auto client = sample_client(std::make_shared<InstantTransport>(page, 200));
    count("page_of_50", "sha1", 20, [&] {
        const auto got = client.try_list_page();
        require(got.has_value() && got->items.size() == 50, "the page was not read");
    });
}

void count_verification() {
    const wa::RequestValidator validator{webhook_token};
    const auto signature =
        validator.sign({.method = "GET", .url = webhook_signed_text, .content_type = {}});
    const wa::SignedRequest request{.url = webhook_url,
                                    .content_type = "application/x-www-form-urlencoded",
                                    .body = webhook_body,
                                    .signature = signature};
    count("verify", "sha1", 500,
          [&] { require(bool(validator.check(request)), "a signature did not fit"); });
}

/// Each event is another one, as a second of the same would not reach the handler.
void count_webhook() {
    const wa::RequestValidator validator{webhook_token};
    const std::string sid = "SM0123456789abcdef0123456789abcdef";
    std::vector<wa::WebhookRequest> requests;
    for (int i = 0; i < 110; ++i) {
        auto body = webhook_body;
        const auto number = std::to_string(1000 + i);
        for (auto at = body.find(sid); at != std::string::npos; at = body.find(sid, at + 1)) {
            body.replace(at + sid.size() - number.size(), number.size(), number);
        }
        const auto signature = validator.sign({.url = webhook_url,
                                               .content_type = "application/x-www-form-urlencoded",
                                               .body = body});
        requests.push_back({.scheme = "https",
                            .target = webhook_url.substr(webhook_url.find("/whatsapp")),
                            .headers = {{"Host", "example.com"},
                                        {"Content-Type", "application/x-www-form-urlencoded"},
                                        {"X-Twilio-Signature", signature}},
                            .body = body,
                            .peer = "127.0.0.1"});
    }
    wa::WebhookHandler handler{validator,
                               {.public_url = wa::PublicUrl::fixed("https://example.com")}};
    std::size_t handled = 0;
    handler.on_text([&](const wa::InboundMessage&) {
        ++handled;
        return wa::MessagingResponse{"On its way."};
    });
    std::size_t next = 0;
    count("webhook", "verify", 100, [&] {
        require(handler.handle(requests[next++]).status == 200, "a webhook was refused");
    });
    require(handled == requests.size(), "a webhook did not reach its handler");
}

/// The events that cost MetricsObserver most, each with the values that it looks for longest: none
/// may take more than 1,000 instructions.
void count_metrics() {
    using namespace std::chrono_literals;
    wa::MetricsObserver metrics;
    const wa::CallInfo call{.operation = "senders.list"};
    const wa::Error error{{.kind = wa::ErrorKind::rate_limit, .http_status = 429, .code = 99'999}};
    const wa::Error away = wa::store_error("is away");
    constexpr int times = 500;
    count("metrics_attempt", "sha1", times, [&] {
        metrics.on_attempt({.call = call, .http_status = 429, .error = &error, .slot_wait = 99s});
    });
    count("metrics_retry", "sha1", times, [&] { metrics.on_retry({.call = call}); });
    count("metrics_result", "sha1", times, [&] {
        metrics.on_result({.call = call, .attempts = 2, .error = &error, .duration = 99s});
    });
    count("metrics_store", "sha1", times, [&] {
        metrics.on_result({.call = call, .attempts = 2, .error = &away, .duration = 99s});
    });
    count("metrics_webhook", "sha1", times, [&] {
        metrics.on_webhook({.outcome = wa::WebhookOutcome::taken_in,
                            .kind = "status",
                            .duration = 99s,
                            .message_status = "received",
                            .error_code = 99'999});
    });
    count("metrics_inbox", "sha1", times,
          [&] { metrics.on_inbox({.kind = "unknown", .duration = 99s, .since_arrival = 100h}); });
    count("metrics_rest", "sha1", times, [&] {
        metrics.on_call({.call = call});
        metrics.on_limiter({.shared = false, .processes = 2});
        metrics.on_quota_level({.window = "month", .percent = 80});
        metrics.on_stale_template({.error = away});
        metrics.on_number_changed_hands({});
    });
}

void print_versions() {
    std::printf("versions compiler %s, glibc %s, libcurl %s, %s\n", __VERSION__,
                gnu_get_libc_version(), curl_version_info(CURLVERSION_NOW)->version,
                OpenSSL_version(OPENSSL_VERSION));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: see instructions.sh\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    print_versions();
    Sha1Floor sha1;
    count("sha1", "sha1", 500, [&] { sha1.run(); });
    count_verification();
    count_webhook();
    count_page();
    count_own_work();
    count_metrics();
    count_sends("plain", argv[1], argv[2], false);
    count_sends("tls", argv[1], argv[3], false);
    count_sends("http2", argv[1], argv[4], true);
    return 0;
}
