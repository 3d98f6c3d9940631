// Through a proxy, past it, and what is said when it fails.
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "environment_variables.hpp"
#include "fixture.hpp"
#include "http/no_proxy.hpp"

namespace proxy_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

/// Known to the proxy alone, which takes every name for this machine.
constexpr const char* api_host = "api.example.test";

Reply through(const ReceivedRequest& request) {
    Reply reply;
    if (request.method == "CONNECT") reply.kind = Reply::Kind::tunnel;
    return reply;
}

/// An API that only a proxy can reach.
struct ProxiedApi {
    Certificates certificates = make_certificates({.host = api_host});
    TestServer api{{Protocol::tls_http2, certificates, false}, Wire::by_path};
    TestServer proxy;

    explicit ProxiedApi(const TestServer::Handler& behaviour = through)
        : proxy({Protocol::http1, {}, false}, behaviour) {}

    CurlOptions options(std::string proxy_url) const {
        CurlOptions o;
        o.ca_pem = certificates.ca_pem;
        o.proxy = std::move(proxy_url);
        return o;
    }
    CurlOptions options() const { return options(proxy.url("127.0.0.1")); }

    HttpRequest post(const std::string& host = api_host) const {
        HttpRequest request;
        request.method = HttpMethod::post;
        request.url = api.url(host) + "/ok";
        request.authorization = Secret("Basic canary");
        request.body = "Body=x";
        return request;
    }
};

Result<HttpResponse> send(CurlTransport& transport, const HttpRequest& request, bool asynchronous,
                          std::chrono::milliseconds time = 10s) {
    return asynchronous ? send_async(transport, request, Wire::within(time))
                        : transport.send(request, Wire::within(time));
}

using Variables = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<CurlTransport> transport_in(const Variables& variables, CurlOptions options) {
    const EnvironmentVariables environment(variables);
    return std::make_unique<CurlTransport>(std::move(options));
}

bool contains(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a proxy given as an option is used, and gets neither credentials nor the message") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        ProxiedApi there;
        auto url = there.proxy.url("127.0.0.1");
        url.insert(url.find("127"), "user:password@");
        CurlTransport transport(there.options(url));
        for (int i = 0; i < 2; ++i) CHECK(send(transport, there.post(), asynchronous));
        CHECK(there.api.requests().size() == 2);
        CHECK(there.api.requests().at(0).header("authorization") == "Basic canary");
        CHECK(there.api.requests().at(0).header("proxy-authorization").empty());
        REQUIRE(there.proxy.requests().size() == 1);  // the tunnel is kept
        const auto asked = there.proxy.requests().at(0);
        CHECK(asked.method == "CONNECT");
        CHECK(asked.path == api_host + (':' + std::to_string(there.api.port())));
        CHECK(asked.header("authorization").empty());
        CHECK(asked.header("proxy-authorization") == "Basic dXNlcjpwYXNzd29yZA==");
        CHECK(asked.body.empty());
    }
}

TEST_CASE("a proxy answers for a plain http:// host itself") {
    ProxiedApi there;
    CurlTransport transport(there.options());
    auto request = there.post();
    request.url = "http://api.example.test/ok";
    CHECK(transport.send(request, Wire::within()));
    CHECK(there.proxy.requests().at(0).path == request.url);
}

TEST_CASE("the proxy of the environment is used, except for the hosts of NO_PROXY") {
    const ProxiedApi there;
    const auto proxy = there.proxy.url("127.0.0.1");
    const std::string dead = "http://127.0.0.1:1";
    struct Row {
        const char* description;
        Variables variables;
        std::string option;
        bool tls;
        bool proxied;
    };
    const Row rows[] = {
        {"none", {}, "", true, false},
        {"for https", {{"https_proxy", proxy}, {"http_proxy", dead}}, "", true, true},
        {"in capitals", {{"HTTPS_PROXY", proxy}}, "", true, true},
        {"for all, https", {{"all_proxy", proxy}}, "", true, true},
        {"for all, http", {{"ALL_PROXY", proxy}}, "", false, true},
        {"for http", {{"http_proxy", proxy}, {"https_proxy", dead}}, "", false, true},
        {"a request's header, to a CGI program", {{"HTTP_PROXY", dead}}, "", false, false},
        {"the host is excepted",
         {{"https_proxy", dead}, {"NO_PROXY", "localhost"}},
         "",
         true,
         false},
        {"in small letters", {{"http_proxy", dead}, {"no_proxy", "x,localhost"}}, "", false, false},
        {"another is", {{"https_proxy", proxy}, {"NO_PROXY", "x.test"}}, "", true, true},
        {"the option says none", {{"https_proxy", dead}}, "none", true, false},
        {"the option names another", {{"https_proxy", dead}, {"NO_PROXY", "*"}}, proxy, true, true},
    };
    const auto certificates = make_certificates();
    for (const auto& row : rows) {
        CAPTURE(row.description);
        TestServer api({row.tls ? Protocol::tls_http1 : Protocol::http1, certificates, false},
                       Wire::by_path);
        CurlOptions options;
        options.ca_pem = certificates.ca_pem;
        options.proxy = row.option;
        const auto transport = transport_in(row.variables, options);
        const auto before = there.proxy.requests().size();
        HttpRequest request;
        request.url = api.url() + "/ok";
        const auto answer = transport->send(request, Wire::within());
        INFO((answer ? std::string{} : answer.error().what()));
        CHECK(answer);
        CHECK(there.proxy.requests().size() - before == (row.proxied ? 1 : 0));
    }
}

TEST_CASE("NO_PROXY names hosts, domains, addresses and networks") {
    struct Row {
        const char* host;
        const char* no_proxy;
        bool excepted;
    };
    for (const auto& row : {
             Row{"api.twilio.com", "", false},
             Row{"api.twilio.com", "*", true},
             Row{"api.twilio.com", "localhost, *", true},
             Row{"api.twilio.com", "api.twilio.com", true},
             Row{"API.Twilio.com.", "api.twilio.COM", true},
             Row{"api.twilio.com", "twilio.com.", true},
             Row{"api.twilio.com", ".twilio.com", true},
             Row{"twilio.com", ".twilio.com", true},
             Row{"api.twilio.com", "localhost,127.0.0.1 com", true},
             Row{"nottwilio.com", "twilio.com", false},
             Row{"twilio.com", "api.twilio.com", false},
             Row{"api.twilio.com", ",., ,", false},
             Row{"api.twilio.com", "api.twilio.com:443", false},
             Row{"127.0.0.1", "localhost,127.0.0.1", true},
             Row{"127.0.0.1", "0.0.1", false},
             Row{"10.1.2.3", "10.0.0.0/8", true},
             Row{"10.1.2.3", "10.1.2.0/23", true},
             Row{"10.1.4.3", "10.1.2.0/23", false},
             Row{"10.1.2.3", "10.0.0.0/33", false},
             Row{"[::1]", "::1", true},
             Row{"[fd00::7]", "fd00::/8", true},
             Row{"[fe80::7]", "fd00::/8", false},
         }) {
        CAPTURE(row.host);
        CAPTURE(row.no_proxy);
        CHECK(detail::goes_without_proxy(row.host, row.no_proxy) == row.excepted);
    }
}

TEST_CASE("a proxy that fails is named, and nothing was done") {
    struct Row {
        const char* description;
        Reply reply;
        Stage stage;
        const char* words;
    };
    using Kind = Reply::Kind;
    const auto status = [](int code) { return Reply{.status = code, .body = "no"}; };
    const Row rows[] = {
        {"forbids", status(403), Stage::connect, "the proxy refused the tunnel, with status 403"},
        {"wants to know who", status(407), Stage::connect, "with status 407"},
        {"cannot reach the API", status(502), Stage::connect, "with status 502"},
        {"closes", Reply{.kind = Kind::close}, Stage::connect, "the proxy could not be used: "},
        {"resets", Reply{.kind = Kind::reset}, Stage::connect, "the proxy could not be used: "},
        {"is silent", Reply{.kind = Kind::hold}, Stage::connect,
         "the proxy could not be used: there was no answer in time"},
        {"is no proxy", Reply{.kind = Kind::garbage}, Stage::connect,
         "the proxy could not be used: "},
    };
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        for (const auto& row : rows) {
            CAPTURE(row.description);
            const bool silent = row.reply.kind == Kind::hold;
            const ProxiedApi there([&](const ReceivedRequest&) { return row.reply; });
            auto url = there.proxy.url("127.0.0.1");
            url.insert(url.find("127"), "canary-user:canary-password@");
            CurlTransport transport(there.options(url));
            const auto result = send(transport, there.post(), asynchronous, silent ? 300ms : 10s);
            REQUIRE_FALSE(result);
            const auto& error = result.error();
            CAPTURE(error.what());
            CHECK(error.kind() == (silent ? ErrorKind::timeout : ErrorKind::transport));
            CHECK(error.stage() == row.stage);
            CHECK(error.effect() == Effect::none);
            CHECK(error.http_status() == 0);
            CHECK(error.host() == "127.0.0.1");
            CHECK(error.port() == there.proxy.port());
            CHECK(contains(error.what(), row.words));
            CHECK_FALSE(contains(error.what(), "canary"));
            CHECK(there.api.connections() == 0);
        }
    }
}

TEST_CASE("a proxy that is not there is named, without its user") {
    struct Row {
        const char* proxy;
        Stage stage;
        const char* host;
        int port;
    };
    const ProxiedApi there;
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        for (const auto& row : {
                 Row{"http://canary:canary@127.0.0.1:1", Stage::connect, "127.0.0.1", 1},
                 Row{"canary:canary@127.0.0.1:1", Stage::connect, "127.0.0.1", 1},
                 Row{"socks5h://canary:canary@127.0.0.1:1", Stage::connect, "127.0.0.1", 1},
                 Row{"http://canary:canary@unknown.test", Stage::resolve, "unknown.test", 1080},
                 Row{"https://canary@unknown.test", Stage::resolve, "unknown.test", 443},
             }) {
            CAPTURE(row.proxy);
            CurlTransport transport(there.options(row.proxy));
            const auto result = send(transport, there.post(), asynchronous);
            REQUIRE_FALSE(result);
            const auto& error = result.error();
            CAPTURE(error.what());
            CHECK(error.stage() == row.stage);
            CHECK(error.effect() == Effect::none);
            CHECK(error.host() == row.host);
            CHECK(error.port() == row.port);
            CHECK(contains(error.what(), "the proxy could not be used: couldn't "));
            CHECK_FALSE(contains(error.what(), "canary"));
        }
        // One that cannot be read gives away nothing of itself.
        CurlTransport transport(there.options("http://canary:can/ary@127.0.0.1:1"));
        const auto result = send(transport, there.post(), asynchronous);
        REQUIRE_FALSE(result);
        CHECK(result.error().effect() == Effect::none);
        CHECK_FALSE(contains(result.error().what(), "canary"));
    }
}

TEST_CASE("a call that waited for its turn in vain blames no proxy") {
    const ProxiedApi there([](const ReceivedRequest&) { return Reply{.kind = Reply::Kind::hold}; });
    auto options = there.options();
    options.http2 = false;
    options.max_connections = 1;
    CurlTransport transport(options);
    transport.async_send(there.post(), Wire::within(60s), [](const auto&) {});
    CHECK(there.proxy.wait_for_requests(1));
    const auto result = send(transport, there.post(), true, 20ms);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::timeout);
    CHECK(result.error().stage() == Stage::prepare);
    CHECK(result.error().host() == api_host);
    CHECK_FALSE(contains(result.error().what(), "proxy"));
}

TEST_CASE("behind a proxy that works, it is the API that is named") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        const ProxiedApi there;
        auto options = there.options();
        options.ca_pem = make_certificates().ca_pem;
        CurlTransport distrustful(options);
        const auto refused = send(distrustful, there.post(), asynchronous);
        CurlTransport transport(there.options());
        auto request = there.post();
        request.url = there.api.url(api_host) + "/reset_stream";
        const auto lost = send(transport, request, asynchronous);
        for (const auto* result : {&refused, &lost}) {
            REQUIRE_FALSE(*result);
            CHECK(result->error().host() == api_host);
            CHECK(result->error().port() == there.api.port());
            CHECK_FALSE(contains(result->error().what(), "proxy"));
        }
        CHECK(refused.error().stage() == Stage::tls);
        CHECK(refused.error().effect() == Effect::none);
        CHECK(lost.error().effect() == Effect::unknown);
    }
}

TEST_CASE("a proxy reached over TLS is held to the same authorities, and named") {
    const auto own = make_certificates();
    const ProxiedApi there;
    TestServer proxy({Protocol::tls_http1, own, false}, through);
    auto options = there.options(proxy.url());
    CurlTransport distrustful(options);
    const auto result = distrustful.send(there.post(), Wire::within());
    REQUIRE_FALSE(result);
    CAPTURE(result.error().what());
    CHECK(result.error().stage() == Stage::tls);
    CHECK(result.error().effect() == Effect::none);
    CHECK(result.error().port() == proxy.port());
    CHECK(contains(result.error().what(), "the proxy's certificate is refused"));
    options.ca_pem += own.ca_pem;
    CurlTransport trustful(options);
    CHECK(trustful.send(there.post(), Wire::within()));
    CHECK(proxy.requests().size() == 1);
    options.ca_pem = own.ca_pem;
    CurlTransport trusts_the_proxy(options);
    const auto behind_it = trusts_the_proxy.send(there.post(), Wire::within());
    REQUIRE_FALSE(behind_it);
    CAPTURE(behind_it.error().what());
    CHECK(behind_it.error().stage() == Stage::tls);
    CHECK(behind_it.error().host() == api_host);
    CHECK_FALSE(contains(behind_it.error().what(), "the proxy"));  // libcurl 7.88 says no more
}

TEST_CASE("a message that a proxy refused to pass on is sent again, and arrives once") {
    int refusals = 0;
    ProxiedApi there([&](const ReceivedRequest& request) {
        return ++refusals == 1 ? Reply{.status = 502} : through(request);
    });
    TestServer api({Protocol::tls_http1, there.certificates, false}, [](const ReceivedRequest&) {
        return Reply{.body = R"({"sid":"SM00000000000000000000000000000000"})"};
    });
    ClientOptions options;
    options.from = "+14155238886";
    options.base_url = api.url(api_host);
    options.clock = std::make_shared<twiliowa::testing::ManualClock>();
    options.timeout = std::chrono::hours{24 * 365 * 10};  // the wire's clock is another one
    options.transport = std::make_shared<CurlTransport>(there.options());
    const MessagesClient client(
        Credentials::auth_token("AC00000000000000000000000000000000", "token"), options);
    CHECK(client.try_send_text({.to = "+447700900123", .body = "Hi"}));
    CHECK(there.proxy.requests().size() == 2);
    CHECK(api.requests().size() == 1);
}

}  // namespace proxy_test
