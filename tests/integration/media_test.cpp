// Downloads of media, where the API and the place it redirects to are hostile, on real sockets.
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <twiliowa/media_client.hpp>

#include "fixture.hpp"
#include "support/show.hpp"

namespace media_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string account = "AC" + std::string(32, '0');
const std::string media_path = "/2010-04-01/Accounts/" + account + "/Messages/MM" +
                               std::string(32, 'a') + "/Media/ME" + std::string(32, 'b');

Reply redirect(const std::string& to, int status = 307) {
    Reply reply;
    reply.status = status;
    reply.body = "the body of a redirect";
    reply.headers = {{"Location", to}};
    return reply;
}

Reply file(std::string body, Reply::Kind kind = Reply::Kind::normal) {
    Reply reply;
    reply.kind = kind;
    reply.status = 200;
    reply.body = std::move(body);
    reply.headers = {{"Content-Type", "image/jpeg"}};
    return reply;
}

/// The API, over plain HTTP as a base URL allows, and a storage over TLS, both on loopback.
struct World {
    using Replies = std::function<Reply(World&, const ReceivedRequest&)>;

    Certificates certificates = make_certificates();
    Replies on_api;
    Replies on_storage;
    TestServer storage;
    TestServer api;
    std::shared_ptr<CurlTransport> transport;
    bool loopback_allowed = true;
    std::size_t max_bytes = 1u << 20;
    std::vector<std::string> hosts;

    explicit World(Replies of_api, Replies of_storage = {}, Protocol protocol = Protocol::tls_http1)
        : on_api(std::move(of_api)),
          on_storage(std::move(of_storage)),
          storage({protocol, certificates},
                  [this](const ReceivedRequest& request) { return on_storage(*this, request); }),
          api({}, [this](const ReceivedRequest& request) { return on_api(*this, request); }),
          transport(std::make_shared<CurlTransport>(options(certificates))),
          hosts({"localhost:" + std::to_string(storage.port())}) {}

    static CurlOptions options(const Certificates& certificates) {
        CurlOptions o;
        o.ca_pem = certificates.ca_pem;
        o.proxy = "none";
        return o;
    }

    MediaClient client(std::chrono::milliseconds timeout = 20s) const {
        ClientOptions options;
        options.base_url = api.url("127.0.0.1");
        options.transport = transport;
        options.timeout = timeout;
        options.random = [] { return 0.0; };
        MediaOptions media;
        media.redirect_hosts = hosts;
        media.max_bytes = max_bytes;
        if (loopback_allowed) {
            media.allow_address = [](std::string_view address) { return address == "127.0.0.1"; };
        }
        return MediaClient(Credentials::auth_token(account, "canary-token"), options, media);
    }

    /// A download into a string, blocking or not.
    Result<MediaDownload> get(bool asynchronous, std::chrono::milliseconds timeout = 20s) const {
        const auto url = "https://api.twilio.com" + media_path;
        if (!asynchronous) return client(timeout).try_download_to_string(url);
        std::promise<Result<MediaDownload>> promise;
        client(timeout).async_download_to_string(
            url, [&](Result<MediaDownload> result) { promise.set_value(std::move(result)); });
        return promise.get_future().get();
    }
};

Reply to_storage(World& world, const ReceivedRequest&) {
    return redirect(world.storage.url() + "/file?Signature=canary-signature");
}

std::size_t entries(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator{}));
}

}  // namespace

TEST_CASE("the redirected request carries no Authorization header") {
    for (const auto protocol : {Protocol::tls_http1, Protocol::tls_http2}) {
        for (const bool asynchronous : {false, true}) {
            CAPTURE(asynchronous);
            World world(
                to_storage, [](World&, const ReceivedRequest&) { return file("bytes"); }, protocol);
            for (int i = 0; i < 3; ++i) {  // on fresh connections and kept ones
                const auto got = world.get(asynchronous);
                REQUIRE(got);
                CHECK(got->bytes == "bytes");
                CHECK(got->content_type == "image/jpeg");
                CHECK(got->host == "localhost");
            }
            const auto asked = world.api.requests();
            const auto given = world.storage.requests();
            REQUIRE(asked.size() == 3);
            REQUIRE(given.size() == 3);
            for (const auto& request : asked) {
                CHECK(request.path == media_path);
                CHECK(request.header("authorization").starts_with("Basic "));
            }
            for (const auto& request : given) {
                CHECK(request.path == "/file?Signature=canary-signature");
                CHECK(request.header("authorization").empty());
                for (const auto& [name, value] : request.headers) {
                    CHECK(value != containing("Basic"));
                }
            }
            CHECK(world.storage.connections() == 1);
        }
    }
}

TEST_CASE("one handle: credentials to the API at a kept storage connection's side stay there") {
    World world([](World& w, const ReceivedRequest& request) {
        return request.path == media_path ? redirect(w.api.url("127.0.0.1") + "/elsewhere")
                                          : file("own");
    });
    const auto got = world.get(false);
    REQUIRE(got);
    CHECK(got->bytes == "own");
    const auto requests = world.api.requests();
    REQUIRE(requests.size() == 2);
    CHECK_FALSE(requests[0].header("authorization").empty());
    CHECK(requests[1].header("authorization").empty());
    CHECK(world.api.connections() == 1);
}

TEST_CASE("a listed host whose address is private is never connected to") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        World world(to_storage, [](World&, const ReceivedRequest&) { return file("secret"); });
        world.loopback_allowed = false;
        const auto got = world.get(asynchronous);
        REQUIRE_FALSE(got);
        CHECK(got.error().kind() == ErrorKind::response);
        CHECK(got.error().host() == "localhost");
        CHECK(got.error().stage() == Stage::connect);
        CHECK(got.error().what() != containing("canary"));
        CHECK(world.storage.connections() == 0);
        CHECK(world.api.requests().size() == 1);  // not tried again
    }
}

TEST_CASE("a kept connection to a private address is not used where a new one would be refused") {
    for (const auto protocol : {Protocol::tls_http1, Protocol::tls_http2}) {
        for (const bool asynchronous : {false, true}) {
            CAPTURE(asynchronous);
            World world(
                to_storage, [](World&, const ReceivedRequest&) { return file("secret"); },
                protocol);
            REQUIRE(world.get(asynchronous));
            world.loopback_allowed = false;
            const auto got = world.get(asynchronous);
            REQUIRE_FALSE(got);
            CHECK(got.error().host() == "localhost");
            CHECK(world.storage.requests().size() == 1);
            CHECK(world.storage.connections() == 1);
            world.loopback_allowed = true;
            CHECK(world.get(asynchronous));
        }
    }
}

TEST_CASE("a place that is not listed is never connected to, and named") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        World world(to_storage, [](World&, const ReceivedRequest&) { return file("x"); });
        world.hosts = default_media_hosts();
        auto got = world.get(asynchronous);
        REQUIRE_FALSE(got);
        CHECK(got.error().host() == "localhost");
        CHECK(got.error().port() == world.storage.port());
        // Not over http either, on whatever port.
        world.hosts = {"localhost:" + std::to_string(world.api.port())};
        world.on_api = [](World& w, const ReceivedRequest&) {
            return redirect("http://localhost:" + std::to_string(w.api.port()) + "/x");
        };
        got = world.get(asynchronous);
        REQUIRE_FALSE(got);
        CHECK(got.error().what() == containing("https"));
        CHECK(world.storage.connections() == 0);
        CHECK(world.api.requests().size() == 2);
    }
}

TEST_CASE("a storage that redirects on is held to the same rules") {
    World world(to_storage, [](World& w, const ReceivedRequest&) {
        return redirect("https://127.0.0.1:" + std::to_string(w.storage.port()) + "/x");
    });
    const auto got = world.get(false);
    REQUIRE_FALSE(got);
    CHECK(got.error().host() == "127.0.0.1");
    CHECK(world.storage.requests().size() == 1);
}

TEST_CASE("a redirect loop ends") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        World world(to_storage, to_storage);
        const auto got = world.get(asynchronous);
        REQUIRE_FALSE(got);
        CHECK(got.error().what() == containing("max_redirects"));
        CHECK(world.api.requests().size() == 1);
        CHECK(world.storage.requests().size() == 5);
    }
}

TEST_CASE("a file too large is refused at its headers, and cut off where they say nothing") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        World world(to_storage, [](World&, const ReceivedRequest&) {
            auto reply = file({}, Reply::Kind::huge);
            reply.bytes = 100u << 20;
            return reply;
        });
        auto got = world.get(asynchronous);
        REQUIRE_FALSE(got);
        CHECK(got.error().kind() == ErrorKind::response);
        CHECK(got.error().what() == containing("max_bytes"));
        CHECK(world.storage.requests().size() == 1);
        std::size_t taken = 0;
        const auto sink = [&taken](std::string_view piece) {
            taken += piece.size();
            return true;
        };
        CHECK_FALSE(world.client().try_download(media_path, sink));
        CHECK(taken == 0);
        world.on_storage = [](World&, const ReceivedRequest&) {
            return file({}, Reply::Kind::endless);
        };
        CHECK_FALSE(world.get(asynchronous));
        CHECK_FALSE(world.client().try_download(media_path, sink));
        CHECK(taken <= world.max_bytes);
        CHECK(taken > 0);
        CHECK(world.storage.requests().size() == 4);
    }
}

TEST_CASE("a file that is not there yet is asked for again") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        std::atomic<int> asked{0};
        World world(
            [&](World& w, const ReceivedRequest& request) {
                if (++asked > 1) return to_storage(w, request);
                auto reply = file(R"({"code":20404})");
                reply.status = 404;
                return reply;
            },
            [](World&, const ReceivedRequest&) { return file("x"); });
        CHECK(world.get(asynchronous));
        CHECK(asked == 2);
    }
}

TEST_CASE("a truncated file is begun anew in a string, and not for a sink") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        std::atomic<int> asked{0};
        World world(to_storage, [&](World&, const ReceivedRequest&) {
            return file("whole", ++asked % 2 == 1 ? Reply::Kind::truncate : Reply::Kind::normal);
        });
        const auto got = world.get(asynchronous);
        REQUIRE(got);
        CHECK(got->bytes == "whole");
        CHECK(world.api.requests().size() == 2);
        std::string taken;
        const auto result = world.client().try_download(media_path, [&](std::string_view piece) {
            taken += piece;
            return true;
        });
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::transport);
        CHECK(taken == "whole");
        CHECK(world.api.requests().size() == 3);
    }
}

TEST_CASE("a silent or dripping storage ends with the deadline and leaves no file") {
    auto name = (fs::temp_directory_path() / "twiliowa-media-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    const fs::path directory = name;
    for (const auto kind : {Reply::Kind::stall, Reply::Kind::drip, Reply::Kind::hold}) {
        World world(to_storage, [kind](World&, const ReceivedRequest&) { return file("x", kind); });
        const auto target = (directory / "file").string();
        auto deadline = 400ms;
        auto begin = std::chrono::steady_clock::now();
        auto result = world.client(deadline).try_download_to_file(media_path, target);
        // A busy machine may need all of it before the storage is asked.
        while (world.storage.requests().empty() && deadline < 10s) {
            deadline *= 2;
            begin = std::chrono::steady_clock::now();
            result = world.client(deadline).try_download_to_file(media_path, target);
        }
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::timeout);
        CHECK(result.error().host() == "localhost");
        CHECK(entries(directory) == 0);
        std::promise<Result<MediaDownload>> promise;
        world.client(deadline).async_download_to_file(media_path, target,
                                                      [&](Result<MediaDownload> answer) {
                                                          CHECK(entries(directory) == 0);
                                                          promise.set_value(std::move(answer));
                                                      });
        result = promise.get_future().get();
        CHECK(result.error().kind() == ErrorKind::timeout);
        CHECK(elapsed_since(begin) < 2 * deadline + 5s);
        CHECK(entries(directory) == 0);
    }
    fs::remove_all(directory);
}

TEST_CASE("a download is cancelled in the middle of its body") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        World world(to_storage, [](World&, const ReceivedRequest&) {
            return file("beginning", Reply::Kind::stall);
        });
        CancelSource cancel;
        const auto sink = [&cancel](std::string_view) {
            cancel.cancel();
            return true;
        };
        const CallOptions options{.cancel = cancel.token()};
        const auto begin = std::chrono::steady_clock::now();
        std::promise<Result<MediaDownload>> promise;
        if (asynchronous) {
            world.client().async_download(
                media_path, sink,
                [&](Result<MediaDownload> result) { promise.set_value(std::move(result)); },
                options);
        } else {
            promise.set_value(world.client().try_download(media_path, sink, options));
        }
        const auto result = promise.get_future().get();
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::cancelled);
        CHECK(elapsed_since(begin) < 5s);
    }
}

TEST_CASE("a large file arrives whole, on the disk") {
    auto name = (fs::temp_directory_path() / "twiliowa-media-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    const fs::path directory = name;
    std::string bytes(3u << 20, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
    World world(to_storage, [&](World&, const ReceivedRequest&) { return file(bytes); });
    world.max_bytes = bytes.size();
    const auto path = (directory / "file").string();
    CHECK(world.client().download_to_file(media_path, path).size == bytes.size());
    std::ifstream in(path, std::ios::binary);
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == bytes);
    CHECK(entries(directory) == 1);
    fs::remove_all(directory);
}

TEST_CASE("one client downloads for many threads at once, in both forms") {
    World world(to_storage, [](World&, const ReceivedRequest&) { return file("bytes"); });
    const auto client = world.client();
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 5; ++j) {
                std::promise<Result<MediaDownload>> promise;
                client.async_download_to_string(media_path, [&](Result<MediaDownload> result) {
                    promise.set_value(std::move(result));
                });
                const auto blocking = client.try_download_to_string(media_path);
                good += blocking && blocking->bytes == "bytes" ? 1 : 0;
                const auto other = promise.get_future().get();
                good += other && other->bytes == "bytes" ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 80);
    for (const auto& request : world.storage.requests()) {
        CHECK(request.header("authorization").empty());
    }
}

}  // namespace media_test
