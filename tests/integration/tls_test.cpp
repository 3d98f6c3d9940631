#include "fixture.hpp"

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

Error refusal(const CertificateOptions& certificate, bool right_authority,
              const std::string& host = "localhost") {
    const auto certificates = make_certificates(certificate);
    TestServer server({Protocol::tls_http1, certificates, false}, Wire::by_path);
    CurlOptions options;
    options.proxy = "none";
    options.ca_pem = right_authority ? certificates.ca_pem : make_certificates().ca_pem;
    CurlTransport transport(options);
    HttpRequest request;
    request.url = server.url(host) + "/ok";
    const auto result = transport.send(request, Wire::within());
    REQUIRE_FALSE(result);
    const auto asynchronous = send_async(transport, request, Wire::within());
    REQUIRE_FALSE(asynchronous);
    CHECK(asynchronous.error().what() == result.error().what());
    CHECK(asynchronous.error().stage() == result.error().stage());
    CHECK(asynchronous.error().effect() == result.error().effect());
    CHECK(server.requests().empty());
    return result.error();
}

bool says(const Error& error, const std::string& words) {
    CAPTURE(error.what());
    CHECK(error.stage() == Stage::tls);
    CHECK(error.effect() == Effect::none);
    CHECK(error.host() == "localhost");
    return error.what().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("TLS: the right authority passes, over HTTP/1.1 and HTTP/2") {
    for (const auto protocol : {Protocol::tls_http1, Protocol::tls_http2}) {
        Wire wire(protocol);
        CHECK(wire.send("/ok"));
        CHECK(send_async(wire.transport, wire.post("/ok"), Wire::within()));
    }
}

TEST_CASE("TLS: a wrong authority, a wrong host and an expired certificate are refused by name") {
    const auto stranger = refusal({}, false);
    CHECK(says(stranger, "certificate is refused"));
    CHECK(says(stranger, "the PEM text given"));
    CHECK(says(refusal({.host = "elsewhere.test", .ip = false}, true), "another host name"));
    CHECK(says(refusal({.expired = true}, true), "expired"));
}

TEST_CASE("TLS: a file of authorities that is not there is named") {
    const auto certificates = make_certificates();
    TestServer server({Protocol::tls_http1, certificates, false}, Wire::by_path);
    CurlOptions options;
    options.ca_file = "/nonexistent/ca.pem";
    CurlTransport transport(options);
    HttpRequest request;
    request.url = server.url() + "/ok";
    const auto result = transport.send(request, Wire::within());
    REQUIRE_FALSE(result);
    CHECK(says(result.error(), "/nonexistent/ca.pem"));
}
