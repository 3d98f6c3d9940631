#include <curl/curl.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "environment_variables.hpp"
#include "fixture.hpp"
#include "http/certificate_authorities.hpp"
#include "support/show.hpp"
#include "support/skip.hpp"

namespace tls_test {

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

namespace {

/// One authority in each form in which it can be given.
class AuthorityOnDisk {
public:
    explicit AuthorityOnDisk(const std::string& pem) {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa-ca-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        directory_ = name;
        std::ofstream(file()) << pem;
    }
    ~AuthorityOnDisk() { std::filesystem::remove_all(directory_); }
    AuthorityOnDisk(const AuthorityOnDisk&) = delete;
    AuthorityOnDisk& operator=(const AuthorityOnDisk&) = delete;

    std::string directory() const { return directory_; }
    std::string file() const { return directory_ + "/authority.pem"; }
    void hash(const std::string& pem) const {
        std::ofstream(directory_ + '/' + file_name_in_ca_directory(pem)) << pem;
    }

private:
    std::string directory_;
};

}  // namespace

TEST_CASE("TLS: authorities come as a file, a directory, text and SSL_CERT_FILE; no other counts") {
    const auto ours = make_certificates();
    const auto strange = make_certificates();
    TestServer server({Protocol::tls_http1, ours, false}, Wire::by_path);
    HttpRequest request;
    request.url = server.url() + "/ok";
    for (const bool right : {true, false}) {
        CAPTURE(right);
        const auto& pem = right ? ours.ca_pem : strange.ca_pem;
        const AuthorityOnDisk disk(pem);
        disk.hash(pem);
        const AuthorityOnDisk other(strange.ca_pem);
        other.hash(strange.ca_pem);
        struct Row {
            const char* description;
            CurlOptions options;
            std::string variable;
            std::string tried;
        };
        const std::vector<Row> rows = {
            {"file", {.ca_file = disk.file()}, "", disk.file()},
            {"directory", {.ca_directory = disk.directory()}, "", disk.directory()},
            {"both, in the file",
             {.ca_file = disk.file(), .ca_directory = other.directory()},
             "",
             disk.file() + ", " + other.directory()},
            {"both, in the directory",
             {.ca_file = other.file(), .ca_directory = disk.directory()},
             "",
             other.file() + ", " + disk.directory()},
            {"text", {.ca_pem = pem}, "", "the PEM text given"},
            {"variable", {}, disk.file(), disk.file()},
            {"file before variable", {.ca_file = disk.file()}, other.file(), disk.file()},
        };
        for (const auto& row : rows) {
            CAPTURE(row.description);
            auto options = row.options;
            options.proxy = "none";
            std::unique_ptr<CurlTransport> transport;
            {
                const EnvironmentVariables environment({{"SSL_CERT_FILE", row.variable}});
                transport = std::make_unique<CurlTransport>(options);
            }
            const auto answer = transport->send(request, Wire::within());
            CHECK(static_cast<bool>(answer) == right);
            if (!answer) CHECK(says(answer.error(), "authorities from: " + row.tried + " ["));
        }
    }
}

TEST_CASE("TLS: without options it is libcurl's own authorities that are asked, and named") {
    const char* const own = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (own == nullptr || !std::filesystem::exists(own)) {
        return skip("libcurl has no file of authorities of its own here");
    }
    TestServer server({Protocol::tls_http1, make_certificates(), false}, Wire::by_path);
    CurlTransport transport({.proxy = "none"});
    HttpRequest request;
    request.url = server.url() + "/ok";
    const auto answer = transport.send(request, Wire::within());
    REQUIRE_FALSE(answer);
    CHECK(says(answer.error(), std::string("authorities from: ") + own + " ["));
}

TEST_CASE("TLS: authorities are looked for in the options, the variable, libcurl's, usual places") {
    const std::string debian = "/etc/ssl/certs/ca-certificates.crt";
    const std::string fedora = "/etc/pki/tls/certs/ca-bundle.crt";
    const std::string alpine = "/etc/ssl/cert.pem";
    struct Row {
        detail::GivenAuthorities given;
        std::vector<std::string> there;
        std::string file;
        std::string directory;
        std::string tried;
    };
    const std::string to_fedora = "/variable, /libcurl, " + debian + ", " + fedora;
    const std::string all = to_fedora +
                            ", /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem, "
                            "/etc/ssl/ca-bundle.pem, " +
                            alpine;
    const std::vector<Row> rows = {
        {{.file = "/given"}, {"/given", "/variable"}, "/given", "", "/given"},
        {{.directory = "/given"}, {"/variable"}, "", "/given", "/given"},
        {{.pem = "text"}, {"/variable"}, "", "", "the PEM text given"},
        {{}, {"/variable", "/libcurl", debian}, "/variable", "", "/variable"},
        {{}, {"/libcurl", debian}, "/libcurl", "", "/variable, /libcurl"},
        {{}, {debian, fedora}, debian, "", "/variable, /libcurl, " + debian},
        {{}, {fedora, alpine}, fedora, "", to_fedora},
        {{}, {alpine}, alpine, "", all},
        {{}, {}, "", "/libcurl.d", all + ", /libcurl.d"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.tried);
        const auto found = detail::find_certificate_authorities(
            row.given, {"/variable", "/libcurl", "/libcurl.d", [&](const std::string& path) {
                            return std::find(row.there.begin(), row.there.end(), path) !=
                                   row.there.end();
                        }});
        CHECK(found.file == row.file);
        CHECK(found.directory == row.directory);
        CHECK(found.tried == row.tried);
    }
    const auto none = detail::find_certificate_authorities(
        {}, {"", "", "/libcurl.d", [](const std::string&) { return false; }});
    CHECK(none.tried.starts_with(debian));
}

TEST_CASE("TLS: a server, or a proxy, that speaks no more than TLS 1.1 is refused") {
    const auto certificates = make_certificates();
    TestServer server({Protocol::tls_http1, certificates, false, true}, [](const auto& request) {
        return Reply{.kind =
                         request.method == "CONNECT" ? Reply::Kind::tunnel : Reply::Kind::normal};
    });
    CURL* const easy = curl_easy_init();
    curl_blob ca{const_cast<char*>(certificates.ca_pem.data()), certificates.ca_pem.size(),
                 CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_1));
    curl_easy_setopt(easy, CURLOPT_URL, (server.url() + "/control").c_str());
    const auto control = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    if (control != CURLE_OK) return skip("this machine's OpenSSL has no TLS 1.1 left");

    Wire modern(Protocol::tls_http1);
    for (const bool as_proxy : {false, true}) {
        CAPTURE(as_proxy);
        CurlOptions options;
        options.ca_pem = certificates.ca_pem + modern.certificates.ca_pem;
        options.proxy = as_proxy ? server.url() : "none";
        CurlTransport transport(options);
        HttpRequest request;
        request.url = (as_proxy ? modern.server.url() : server.url()) + "/ok";
        for (const auto& answer : {transport.send(request, Wire::within()),
                                   send_async(transport, request, Wire::within())}) {
            REQUIRE_FALSE(answer);
            CHECK(says(answer.error(),
                       as_proxy ? "TLS handshake with the proxy failed" : "TLS handshake failed"));
            CHECK(answer.error().port() == server.port());
        }
    }
    CHECK(server.requests().size() == 1);  // the control
}

TEST_CASE("nothing but http:// and https:// is asked for") {
    const AuthorityOnDisk disk("canary");
    CurlTransport transport({.proxy = "none"});
    for (const auto& url : {"file://" + disk.file(), std::string("ftp://127.0.0.1:1/x"),
                            std::string("dict://127.0.0.1:1/x")}) {
        CAPTURE(url);
        HttpRequest request;
        request.url = url;
        for (const auto& answer : {transport.send(request, Wire::within()),
                                   send_async(transport, request, Wire::within())}) {
            REQUIRE_FALSE(answer);
            CHECK(answer.error().effect() == Effect::none);
            CHECK(answer.error().what() == containing("unsupported protocol"));
        }
    }
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

}  // namespace tls_test
