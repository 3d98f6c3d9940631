#include <twiliowa/media_client.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace media_client_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;
namespace fs = std::filesystem;

namespace {

const std::string account = "AC" + std::string(32, '0');
const std::string path = "/2010-04-01/Accounts/" + account + "/Messages/MM" + std::string(32, 'a') +
                         "/Media/ME" + std::string(32, 'b');
const std::string url = "https://api.twilio.com" + path;
const std::string cdn = "https://mms.twiliocdn.com/file?Signature=canary-signature";

struct Recorder final : Observer {
    std::vector<std::string> events;
    void on_attempt(const AttemptEvent& e) noexcept override {
        events.push_back(std::string(e.call.operation) + " attempt " + std::to_string(e.attempt) +
                         " " + std::to_string(e.http_status) + " " + std::string(e.call.host));
    }
    void on_retry(const RetryEvent& e) noexcept override {
        events.push_back("retry after " + std::to_string(e.delay.count()) + "ms");
    }
    void on_result(const ResultEvent& e) noexcept override {
        events.push_back(e.error ? e.error->what() : "done");
    }
};

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
    ClientOptions options = make_options();
    MediaOptions media = {};
    ClientOptions make_options() {
        ClientOptions o;
        o.transport = transport;
        o.clock = clock;
        o.observer = recorder;
        o.random = [] { return 0.5; };
        return o;
    }
    MediaClient client() const {
        return MediaClient(Credentials::auth_token(account, "canary-token"), options, media);
    }
    void redirect(const std::string& to, int status = 307) const {
        transport->respond(status, "the body of a redirect", {{"Location", to}});
    }
    Error error(const std::string& of = url) const {
        const auto result = client().try_download_to_string(of);
        REQUIRE_FALSE(result);
        return result.error();
    }
};

/// A directory of its own, gone with the test.
struct Directory {
    fs::path path = make();
    Directory() = default;
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { fs::remove_all(path); }
    std::string file(const std::string& name) const { return (path / name).string(); }
    std::size_t count() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(path), fs::directory_iterator{}));
    }
    static fs::path make() {
        auto name = (fs::temp_directory_path() / "twiliowa-media-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        return name;
    }
};

std::string contents(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// Fails after part of the body has reached the sink.
ScriptedTransport::Step breaks_after(const std::string& part) {
    return [part](const HttpRequest&, const CallContext& context) -> Result<HttpResponse> {
        CHECK(context.body_sink(part));
        return Error::transport(Effect::unknown, Stage::receive, "reset");
    };
}

}  // namespace

TEST_CASE("the observer hears of a download that is refused before it begins") {
    Fixture f;
    const MediaClient client{Credentials::auth_token(account, "token"), f.options};
    CHECK_FALSE(client.try_download_to_string("https://elsewhere.test/x"));
    int called = 0;
    client.async_download_to_file("https://elsewhere.test/x", "never-made",
                                  [&called](const auto&) { ++called; });
    f.transport->run_until_idle();
    CHECK(called == 1);
    CHECK(f.recorder->events.size() == 2);
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("a file is fetched with the credentials, and what it redirects to without") {
    Fixture f;
    f.redirect(cdn);
    f.transport->respond(200, "bytes",
                         {{"Content-Type", "image/jpeg"},
                          {"Content-Disposition", R"(attachment; filename="a photo.jpg")"}});
    const auto got = f.client().download_to_string(url);
    CHECK(got.bytes == "bytes");
    CHECK(got.size == 5);
    CHECK(got.content_type == "image/jpeg");
    CHECK(got.file_name == "a photo.jpg");
    CHECK(got.host == "mms.twiliocdn.com");
    const auto requests = f.transport->requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].method == HttpMethod::get);
    CHECK(requests[0].url == url);
    CHECK_FALSE(requests[0].authorization.empty());
    CHECK(find_header(requests[0].headers, "Accept") == "*/*");
    CHECK(requests[1].url == cdn);
    CHECK(requests[1].authorization.empty());
    CHECK(find_header(requests[1].headers, "Authorization").empty());
    CHECK(f.recorder->events ==
          std::vector<std::string>{"media.download attempt 1 200 api.twilio.com", "done"});
}

TEST_CASE("a list's uri is as good as a webhook's URL, and the API may give the file itself") {
    Fixture f;
    f.transport->respond(200, "x");
    CHECK(f.client().download_to_string(path + ".json").host == "api.twilio.com");
    CHECK(f.transport->requests().at(0).url == url);
}

TEST_CASE("no request leaves for a URL that is not one of the API's media") {
    Fixture f;
    for (const std::string& bad :
         {"https://evil.example" + path, "http://api.twilio.com" + path,
          std::string("https://api.twilio.com/2010-04-01/Accounts.json"), std::string()}) {
        CAPTURE(bad);
        const auto error = f.error(bad);
        CHECK(error.kind() == ErrorKind::invalid_request);
        CHECK(error.field() == "url");
        CHECK_THROWS_AS(f.client().download_to_string(bad), InvalidRequestError);
    }
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("a redirect to a place that is not listed is refused by name, at once") {
    const std::pair<std::string, std::string> places[] = {
        {"https://evil.example/x?Signature=canary-signature", "evil.example"},
        {"https://twiliocdn.com.evil.example/x", "twiliocdn.com.evil.example"},
        {"http://mms.twiliocdn.com/x", "mms.twiliocdn.com"},
        {"https://mms.twiliocdn.com:8443/x", "mms.twiliocdn.com"},
        {"https://s3-external-1.amazonaws.com/another-bucket/x", "s3-external-1.amazonaws.com"},
        {"https://169.254.169.254/latest/meta-data", "169.254.169.254"},
        {"https://[::1]/x", "[::1]"},
        {url, "api.twilio.com"},
        {"/somewhere", "api.twilio.com"}};
    for (const auto& entry : places) {
        const auto& place = entry.first;
        const auto& host = entry.second;
        CAPTURE(place);
        Fixture f;
        f.redirect(place);
        const auto error = f.error();
        CHECK(error.kind() == ErrorKind::response);
        CHECK(error.host() == host);
        CHECK(error.effect() == Effect::none);
        CHECK(error.what() != containing("canary"));
        CHECK(f.transport->request_count() == 1);
    }
}

TEST_CASE("a redirect that leads nowhere is an error, not a request") {
    for (const std::string place :
         {"", "relative", "file:///etc/passwd", "https://mms.twiliocdn.com@evil.example/",
          "https://mms.twiliocdn.com/\r\nX: y",
          "https://s3-external-1.amazonaws.com/"
          "media.twiliocdn.com/../other/x"}) {
        CAPTURE(place);
        Fixture f;
        f.redirect(place);
        CHECK(f.error().kind() == ErrorKind::response);
        CHECK(f.transport->request_count() == 1);
    }
}

TEST_CASE("every kind of redirect is followed, and a limited number of them") {
    for (const int status : {301, 302, 303, 307, 308}) {
        CAPTURE(status);
        Fixture f;
        f.redirect(cdn, status);
        f.transport->respond(200, "x");
        CHECK(f.client().download_to_string(url).bytes == "x");
    }
    Fixture f;
    for (int i = 0; i < 7; ++i) f.redirect(cdn);
    const auto error = f.error();
    CHECK(error.kind() == ErrorKind::response);
    CHECK(error.what() == containing("max_redirects"));
    CHECK(f.transport->request_count() == 6);
    f.media.max_redirects = 0;
    CHECK_FALSE(f.client().try_download_to_string(url));
    CHECK(f.transport->request_count() == 7);
}

TEST_CASE("a list of one's own replaces the default one") {
    Fixture f;
    f.media.redirect_hosts = {"*.files.example:8443"};
    f.redirect("https://a.files.example:8443/x");
    f.transport->respond(200, "x");
    CHECK(f.client().download_to_string(url).host == "a.files.example");
    f.redirect(cdn);
    CHECK_FALSE(f.client().try_download_to_string(url));
}

TEST_CASE("only a redirect's target is held to addresses of the public internet") {
    Fixture f;
    f.transport->then([](const HttpRequest&, const CallContext& context) {
        CHECK_FALSE(context.address_policy);
        return HttpResponse{302, {{"Location", cdn}}, {}};
    });
    f.transport->then([](const HttpRequest&, const CallContext& context) -> Result<HttpResponse> {
        REQUIRE(context.address_policy);
        CHECK(context.address_policy("52.216.8.1"));
        CHECK_FALSE(context.address_policy("10.0.0.1"));
        return Error::transport(Effect::none, Stage::connect, "refused by policy");
    });
    const auto error = f.error();
    CHECK(error.kind() == ErrorKind::response);
    CHECK(error.host() == "mms.twiliocdn.com");
    CHECK(error.stage() == Stage::connect);
    CHECK(f.transport->request_count() == 2);  // not tried again
    f.media.allow_address = [](std::string_view address) { return address == "10.0.0.1"; };
    f.redirect(cdn);
    f.transport->then([](const HttpRequest&, const CallContext& context) {
        CHECK(context.address_policy("10.0.0.1"));
        CHECK_FALSE(context.address_policy("10.0.0.2"));
        return HttpResponse{200, {}, "x"};
    });
    CHECK(f.client().download_to_string(url).bytes == "x");
}

TEST_CASE("a base URL relaxes its own host only") {
    Fixture f;
    f.options.base_url = "http://127.0.0.1:8080";
    f.redirect("http://127.0.0.1:8080/elsewhere");
    f.transport->then([](const HttpRequest& request, const CallContext& context) {
        CHECK(request.url == "http://127.0.0.1:8080/elsewhere");
        CHECK(request.authorization.empty());
        CHECK_FALSE(context.address_policy);
        return HttpResponse{200, {}, "x"};
    });
    CHECK(f.client().download_to_string(url).bytes == "x");
    CHECK(f.transport->requests().at(0).url == "http://127.0.0.1:8080" + path);
    for (const std::string place :
         {"http://127.0.0.1:8081/x", "http://127.0.0.1/x", "https://127.0.0.1:8080/x",
          "http://localhost:8080/x", "https://10.0.0.1/x"}) {
        CAPTURE(place);
        f.redirect(place);
        CHECK(f.error().kind() == ErrorKind::response);
    }
}

TEST_CASE("a file larger than allowed is an error that is not tried again") {
    Fixture f;
    f.media.max_bytes = 4;
    f.transport->respond(200, "12345");
    CHECK(f.error().kind() == ErrorKind::response);
    CHECK(f.transport->request_count() == 1);
    Fixture g;
    g.media.max_bytes = 4;
    g.transport->then([](const HttpRequest&, const CallContext& context) {
        CHECK(context.body_sink("123"));
        CHECK_FALSE(context.body_sink("45"));
        return Error::transport(Effect::unknown, Stage::receive, "the sink stopped");
    });
    const auto error = g.error();
    CHECK(error.kind() == ErrorKind::response);
    CHECK(error.what() == containing("max_bytes"));
    CHECK(g.transport->request_count() == 1);
    g.redirect(cdn);  // its body is longer than that
    g.transport->respond(200, "1234");
    CHECK(g.client().download_to_string(url).size == 4);
    g.transport->respond(401, R"({"code":20003,"message":"longer than that, too"})");
    CHECK(g.error().code() == 20003);
}

TEST_CASE("a file that is not there yet is asked for again, for a short time") {
    Fixture f;
    f.transport->respond(404, R"({"code":20404,"message":"not found"})").respond(404);
    f.redirect(cdn);
    f.transport->respond(200, "x");
    const auto before = f.clock->monotonic_now();
    CHECK(f.client().download_to_string(url).bytes == "x");
    CHECK(f.clock->monotonic_now() - before == 1500ms);
    for (int i = 0; i < 9; ++i) f.transport->respond(404);
    CHECK_THROWS_AS(f.client().download_to_string(url), NotFoundError);
    CHECK(f.transport->request_count() == 8);
}

TEST_CASE("what passes is tried again from the start, with a fresh redirect") {
    Fixture f;
    f.transport->respond(429).respond(503);
    f.redirect(cdn);
    f.transport->respond(500);
    f.redirect(cdn);
    f.transport->respond(200, "x");
    CHECK(f.client().download_to_string(url).bytes == "x");
    CHECK(f.transport->request_count() == 6);
    f.transport->fail(Error::transport(Effect::none, Stage::connect, "refused"));
    f.transport->respond(200, "y");
    CHECK(f.client().download_to_string(url).bytes == "y");
}

TEST_CASE("what does not pass is not tried again") {
    Fixture f;
    f.transport->respond(401, R"({"code":20003,"message":"canary-number +447700900123"})");
    CHECK(f.error().kind() == ErrorKind::authentication);
    f.redirect(cdn);
    f.transport->respond(403, "<Error>canary-signature</Error>");
    const auto error = f.error();
    CHECK(error.kind() == ErrorKind::api);
    CHECK(error.http_status() == 403);
    CHECK(error.host() == "mms.twiliocdn.com");
    CHECK(error.message().empty());
    CHECK(f.transport->request_count() == 3);
    for (const auto& event : f.recorder->events) {
        CHECK(event != containing("canary"));
        CHECK(event != containing("+447700900123"));
    }
}

TEST_CASE("once bytes have reached a sink a download is not begun again") {
    Fixture f;
    f.transport->then(breaks_after("ab"));
    std::string taken;
    const auto result = f.client().try_download(url, [&](std::string_view piece) {
        taken += piece;
        return true;
    });
    CHECK(result.error().kind() == ErrorKind::transport);
    CHECK(taken == "ab");
    CHECK(f.transport->request_count() == 1);
    f.transport->respond(503).respond(200, "cd");
    CHECK(f.client()
              .download(url,
                        [&](std::string_view piece) {
                            taken += piece;
                            return true;
                        })
              .size == 2);
    CHECK(taken == "abcd");
}

TEST_CASE("a string and a file are begun anew after a break") {
    Directory directory;
    Fixture f;
    f.transport->then(breaks_after("long first part")).respond(200, "whole");
    CHECK(f.client().download_to_string(url).bytes == "whole");
    f.transport->then(breaks_after("long first part")).respond(200, "whole");
    const auto got = f.client().download_to_file(url, directory.file("a"));
    CHECK(got.size == 5);
    CHECK(got.bytes.empty());
    CHECK(contents(directory.file("a")) == "whole");
    CHECK(directory.count() == 1);
}

TEST_CASE("a sink may end the download, and may throw") {
    Fixture f;
    f.transport->respond(200, "x").respond(200, "x").respond(200, "x");
    CHECK_THROWS_AS(f.client().download(url, [](std::string_view) { return false; }),
                    CancelledError);
    const auto result = f.client().try_download(
        url, [](std::string_view) -> bool { throw std::runtime_error("canary"); });
    CHECK(result.error().kind() == ErrorKind::cancelled);
    CHECK(result.error().what() != containing("canary"));
    CHECK(f.transport->request_count() == 2);
    CHECK(f.client().try_download(url, {}).error().field() == "sink");
    CHECK(f.client().try_download(url, [](std::string_view) -> bool { throw 7; }).error().kind() ==
          ErrorKind::cancelled);
}

TEST_CASE("a redirect's body and an error's never reach the sink") {
    Fixture f;
    f.redirect(cdn);
    f.transport->respond(503, "an error's body");
    f.redirect(cdn);
    f.transport->respond(200, "file");
    std::string taken;
    CHECK(f.client()
              .download(url,
                        [&](std::string_view piece) {
                            taken += piece;
                            return true;
                        })
              .size == 4);
    CHECK(taken == "file");
}

TEST_CASE("a file gets its name when it is complete, and replaces another only if told") {
    Directory directory;
    const auto file = directory.file("a");
    Fixture f;
    f.transport->respond(200, "one");
    CHECK(f.client().download_to_file(url, file).size == 3);
    CHECK(contents(file) == "one");
    const auto refused = f.client().try_download_to_file(url, file);
    CHECK(refused.error().field() == "path");
    CHECK(f.transport->request_count() == 1);
    f.transport->then([&](const HttpRequest&, const CallContext& context) {
        CHECK(context.body_sink("two"));
        CHECK(contents(file) == "one");  // not yet
        return HttpResponse{200, {}, {}};
    });
    CHECK(f.client().try_download_to_file(url, file, IfFileExists::overwrite));
    CHECK(contents(file) == "two");
    f.transport->then(breaks_after("part")).respond(401);
    CHECK_FALSE(f.client().try_download_to_file(url, file, IfFileExists::overwrite));
    CHECK(contents(file) == "two");
    CHECK(directory.count() == 1);
}

TEST_CASE("a file that appears during the download is not replaced") {
    Directory directory;
    const auto file = directory.file("a");
    Fixture f;
    f.transport->then([&](const HttpRequest&, const CallContext&) {
        std::ofstream(file) << "somebody else's";
        return HttpResponse{200, {}, "mine"};
    });
    const auto result = f.client().try_download_to_file(url, file);
    CHECK(result.error().field() == "path");
    CHECK(contents(file) == "somebody else's");
    CHECK(directory.count() == 1);
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("a path that cannot be written is refused before the network, without its text") {
    Directory directory;
    Fixture f;
    for (const std::string& bad :
         {std::string(), directory.path.string(), directory.file("canary/none"),
          directory.path.string() + "/", std::string("/proc/canary")}) {
        CAPTURE(bad);
        const auto result = f.client().try_download_to_file(url, bad);
        CHECK(result.error().kind() == ErrorKind::invalid_request);
        CHECK(result.error().field() == "path");
        CHECK(result.error().what() != containing("canary"));
    }
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("part of a file is no file") {
    Directory directory;
    Fixture f;
    for (int i = 0; i < 4; ++i) f.transport->respond(206, "part of it");
    const auto result = f.client().try_download_to_file(url, directory.file("a"));
    CHECK(result.error().kind() == ErrorKind::response);
    CHECK(directory.count() == 0);
}

TEST_CASE("an empty file is a file") {
    Directory directory;
    Fixture f;
    f.transport->respond(200);
    CHECK(f.client().download_to_file(url, directory.file("a")).size == 0);
    CHECK(fs::exists(directory.file("a")));
}

TEST_CASE("the asynchronous forms do the same, and never call back inside the call") {
    Directory directory;
    Fixture f;
    const auto finish = [&](auto start) {
        std::optional<Result<MediaDownload>> result;
        start([&](Result<MediaDownload> r) {
            CHECK_FALSE(result.has_value());
            result.emplace(std::move(r));
        });
        CHECK_FALSE(result.has_value());
        f.transport->run_until_idle(f.clock.get());
        REQUIRE(result.has_value());
        return *result;
    };
    const auto client = f.client();
    f.transport->respond(404);
    f.redirect(cdn);
    f.transport->respond(200, "x");
    CHECK(finish([&](auto done) { client.async_download_to_string(url, done); })->bytes == "x");
    CHECK(f.transport->requests().at(2).authorization.empty());
    f.transport->respond(200, "file");
    CHECK(
        finish([&](auto done) { client.async_download_to_file(url, directory.file("a"), done); }));
    CHECK(contents(directory.file("a")) == "file");
    std::string taken;
    f.transport->respond(200, "sunk");
    CHECK(finish([&](auto done) {
        client.async_download(
            url,
            [&](std::string_view piece) {
                taken += piece;
                return true;
            },
            done);
    }));
    CHECK(taken == "sunk");
    f.redirect("https://evil.example/");
    CHECK(finish([&](auto done) { client.async_download_to_string(url, done); }).error().host() ==
          "evil.example");
    CHECK(finish([&](auto done) { client.async_download_to_string("x", done); }).error().field() ==
          "url");
    f.transport->respond(401);
    CHECK_FALSE(finish([&](auto done) {
        client.async_download_to_file(url, directory.file("b"), [&, done](auto result) {
            CHECK(directory.count() == 1);  // the temporary file is gone by now
            done(std::move(result));
        });
    }));
    CHECK(directory.count() == 1);
}

TEST_CASE("a transport that cannot work in the background says so at once") {
    struct Blocking final : HttpTransport {
        Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
            return HttpResponse{200, {}, "left in the body"};  // one that ignores sinks
        }
    };
    Fixture f;
    f.options.transport = std::make_shared<Blocking>();
    std::string field;
    f.client().async_download_to_string(
        url, [&](const Result<MediaDownload>& result) { field = result.error().field(); });
    CHECK(field == "transport");
    CHECK(f.client().download_to_string(url).bytes == "left in the body");
}

TEST_CASE("time and cancellation end a download") {
    Fixture f;
    f.transport->respond(404);
    CHECK(f.client().try_download_to_string(url, {.timeout = 300ms}).error().kind() ==
          ErrorKind::not_found);
    CancelSource cancel;
    cancel.cancel();
    CHECK(f.client().try_download_to_string(url, {.cancel = cancel.token()}).error().kind() ==
          ErrorKind::cancelled);
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("destroying the client ends what is under way") {
    Fixture f;
    auto transport = std::exchange(f.transport, nullptr);
    f.options.transport = nullptr;
    auto options = f.options;
    options.transport = std::move(transport);
    std::optional<Result<MediaDownload>> result;
    {
        const MediaClient client(Credentials::auth_token(account, "t"), options);
        options.transport.reset();
        client.async_download_to_string(url, [&](auto r) { result.emplace(std::move(r)); });
    }
    REQUIRE(result.has_value());
    CHECK(result->error().kind() == ErrorKind::cancelled);
}

TEST_CASE("wrong options are refused by name") {
    Fixture f;
    const auto field = [&] {
        const auto client = MediaClient::try_create(
            [] { return Result(Credentials::auth_token(account, "t")); }, f.options, f.media);
        return client ? std::string() : client.error().field();
    };
    CHECK(field().empty());
    f.media.max_bytes = 0;
    CHECK(field() == "max_bytes");
    f.media = {};
    f.media.max_redirects = -1;
    CHECK(field() == "max_redirects");
    f.media = {};
    f.media.redirect_hosts = {"https://no.example"};
    CHECK(field() == "redirect_hosts");
    f.media = {};
    f.options.timeout = 0ms;
    CHECK(field() == "timeout");
    CHECK_THROWS_AS(f.client(), InvalidRequestError);
    f.options = f.make_options();
    CHECK(MediaClient(Credentials{}, f.options).try_download_to_string(url).error().field() ==
          "credentials");
}

}  // namespace media_client_test
