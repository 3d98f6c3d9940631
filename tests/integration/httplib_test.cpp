// WebhookHandler behind cpp-httplib, by what goes over the wire.
#include <twiliowa/adapters/httplib.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include "support/webhook_service.hpp"

namespace httplib_test {

using namespace twiliowa;
using namespace twiliowa::test;

class Site {
public:
    template <class... Handler>
    explicit Site(Handler&&... handler) {
        server.set_keep_alive_timeout(30);
        serve_webhooks(server, "/hook.*", std::forward<Handler>(handler)...);
        port = server.bind_to_any_port("127.0.0.1");
        REQUIRE(port > 0);
        thread = std::thread([this] { server.listen_after_bind(); });
        while (!server.is_running()) std::this_thread::yield();
    }
    ~Site() {
        server.stop();
        thread.join();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    httplib::Server server = {};
    int port = 0;
    std::thread thread = {};
};

struct Reply {
    int status = 0;  // 0: the connection ended instead
    std::string head = {};
    std::string body = {};
};

class Connection {
public:
    explicit Connection(const Site& site) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(site.port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~Connection() { ::close(socket_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void write(std::string_view text) const {
        while (!text.empty()) {
            const auto size = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
            if (size <= 0) return;  // it was answered before all of it was read
            text.remove_prefix(static_cast<std::size_t>(size));
        }
    }
    void end_writing() const { ::shutdown(socket_, SHUT_WR); }

    Reply read(bool with_body = true) {
        Reply reply;
        while (text_.find("\r\n\r\n") == std::string::npos) {
            if (!read_more()) return reply;
        }
        const auto end = text_.find("\r\n\r\n") + 4;
        reply.head = text_.substr(0, end);
        reply.status = std::stoi(reply.head.substr(9, 3));
        text_.erase(0, end);
        if (!with_body) return reply;
        const auto length = header(reply, "Content-Length");
        if (length.empty()) {
            while (read_more()) {
            }
            reply.body = std::exchange(text_, {});
            return reply;
        }
        const auto size = std::stoul(length);
        while (text_.size() < size && read_more()) {
        }
        reply.body = text_.substr(0, size);
        text_.erase(0, size);
        return reply;
    }
    Reply ask(std::string_view text) {
        write(text);
        return read();
    }
    /// Whether the other end has closed it, and nothing more came.
    bool is_over() { return text_.empty() && !read_more() && !timed_out_; }

    static std::string header(const Reply& reply, const std::string& name) {
        const auto at = reply.head.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        const auto begin = at + name.size() + 4;
        return reply.head.substr(begin, reply.head.find("\r\n", begin) - begin);
    }

private:
    bool read_more() {
        char buffer[4096];
        const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
        if (size > 0) text_.append(buffer, static_cast<std::size_t>(size));
        timed_out_ = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        return size > 0;
    }

    int socket_ = -1;
    std::string text_ = {};
    bool timed_out_ = false;
};

std::string post(std::string_view target, std::string_view headers, std::string_view body) {
    return "POST " + std::string(target) + " HTTP/1.1\r\nHost: bot\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string post(const WebhookRequest& request) {
    std::string headers;
    for (const auto& [name, value] : request.headers) headers += name + ": " + value + "\r\n";
    return post(request.target, headers, request.body);
}

/// Keeps what it is asked, and says yes.
struct Recorder {
    WebhookResponse operator()(const WebhookRequest& request, const httplib::Request&) const {
        const std::lock_guard lock(*mutex);
        seen->push_back(request);
        return {.status = 200, .headers = {{"Content-Type", "text/xml"}}, .body = "<Response/>"};
    }
    std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();
    std::shared_ptr<std::vector<WebhookRequest>> seen =
        std::make_shared<std::vector<WebhookRequest>>();
};

std::vector<std::string> all_of(const WebhookRequest& request, std::string_view name) {
    std::vector<std::string> values;
    for (const auto& [key, value] : request.headers) {
        if (key == name) values.push_back(value);
    }
    std::sort(values.begin(), values.end());  // not every httplib keeps their order
    return values;
}

TEST_CASE("behind httplib a handler gets a request as it was sent") {
    const Recorder recorder;
    const Site site{recorder};
    Connection connection{site};
    const auto reply =
        connection.ask(post("/hook?a=%2Fb&c=d+e&a=",
                            "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"
                            "Content-Type: application/x-www-form-urlencoded\r\n",
                            "Body=a%20b+c&Body=\xc3\xa9"));
    CHECK(reply.status == 200);
    CHECK(reply.body == "<Response/>");
    CHECK(Connection::header(reply, "Content-Type") == "text/xml");
    REQUIRE(recorder.seen->size() == 1);
    const auto& seen = recorder.seen->front();
    CHECK(seen.method == "POST");
    CHECK(seen.scheme == "http");
    CHECK(seen.target == "/hook?a=%2Fb&c=d+e&a=");
    CHECK(seen.body == "Body=a%20b+c&Body=\xc3\xa9");
    CHECK(seen.peer == "127.0.0.1");
    CHECK(all_of(seen, "X-Forwarded-For") == std::vector<std::string>{"192.0.2.1", "192.0.2.2"});
    CHECK(all_of(seen, "Content-Type") ==
          std::vector<std::string>{"application/x-www-form-urlencoded"});
}

TEST_CASE("behind httplib a body of any type comes as its bytes, and its headers with it") {
    const Recorder recorder;
    const Site site{recorder};
    Connection connection{site};
    const std::string parts =
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--\r\n";
    CHECK(connection.ask(post("/hook", "Content-Type: multipart/form-data; boundary=x\r\n", parts))
              .status == 200);
    const std::string bytes("\x1f\x8b\0\xff not gzip", 13);
    CHECK(connection.ask(post("/hook", "Content-Encoding: gzip\r\n", bytes)).status == 200);
    CHECK(connection
              .ask("POST /hook HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
              .status == 200);
    REQUIRE(recorder.seen->size() == 3);
    CHECK(recorder.seen->at(0).body == parts);
    CHECK(find_header(recorder.seen->at(0).headers, "Content-Type") ==
          "multipart/form-data; boundary=x");
    CHECK(recorder.seen->at(1).body == bytes);
    CHECK(find_header(recorder.seen->at(1).headers, "Content-Encoding") == "gzip");
    CHECK(recorder.seen->at(2).body == "abcde");
}

TEST_CASE("behind httplib a signed message of more than 8 KiB is handled, and answered") {
    Service service;
    service.handler.on_text(
        [](const InboundMessage& message) { return MessagingResponse{"Hi " + message.from}; });
    const Site site{service.handler};
    Connection connection{site};
    const auto reply = connection.ask(post(Service::request({{"MessageSid", sid},
                                                             {"AccountSid", account},
                                                             {"From", customer},
                                                             {"To", sender},
                                                             {"Body", std::string(20'000, 'x')}})));
    CHECK(reply.status == 200);
    CHECK(reply.body.find("Hi " + customer) != std::string::npos);
    CHECK(service.heard->entries.at(0).outcome == WebhookOutcome::handled);
}

TEST_CASE(
    "behind httplib a body that is too large is answered 413, and the next request is served") {
    Service service{[](WebhookOptions& options) { options.max_body_bytes = 100; }};
    const Site site{service.handler};
    Connection connection{site};
    const std::string headers = "Content-Type: text/plain\r\n";
    CHECK(connection.ask(post("/hook", headers, std::string(100, 'x'))).status == 403);
    CHECK(connection.ask(post("/hook", headers, std::string(101, 'x'))).status == 413);
    CHECK(connection.ask(post("/hook", headers, std::string(500'000, 'x'))).status == 413);
    CHECK(connection.ask(post("/hook", headers, "x")).status == 403);
    CHECK(service.heard->entries.at(1).outcome == WebhookOutcome::too_large);
}

TEST_CASE("behind httplib what follows a body that was not read to its end is no request") {
    const Recorder recorder;
    const Site site{recorder, std::size_t{100}};
    Connection connection{site};
    // As much as httplib reads, and then what would be requests if it went on. It reads pieces of
    // 4 KiB and drops what it has read too much, so that one must begin at each of them.
    std::string hidden;
    for (int i = 0; i < 2'000; ++i) hidden += "GET /hook HTTP/1.1\r\nHost: bo\r\n\r\n";
    std::string filler(100 + 1 + 1024 * 1024, 'x');
    filler.append(32 - (post("/hook", "", filler + hidden).size() - hidden.size()) % 32, 'x');
    connection.write(post("/hook", "", filler + hidden));
    while (connection.read().status != 0) {
    }
    REQUIRE(recorder.seen->size() == 1);
    CHECK(recorder.seen->front().body.size() == 101);
}

TEST_CASE("behind httplib a body that breaks off does not reach the handler") {
    const Recorder recorder;
    const Site site{recorder};
    Connection connection{site};
    connection.write("POST /hook HTTP/1.1\r\nHost: bot\r\nContent-Length: 10\r\n\r\nabc");
    connection.end_writing();
    while (connection.read().status != 0) {
    }
    Connection second{site};
    CHECK(second
              .ask("POST /hook HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\nno length\r\n")
              .status == 400);
    CHECK(second.is_over());
    CHECK(recorder.seen->empty());
}

TEST_CASE("behind httplib a POST without a length has no body, and is not waited for") {
    const Recorder recorder;
    const Site site{recorder};
    Connection connection{site};
    CHECK(connection.ask("POST /hook HTTP/1.1\r\nHost: bot\r\n\r\n").status == 200);
    CHECK(connection.ask(post("/hook", "", "")).status == 200);
    CHECK(recorder.seen->size() == 2);
}

TEST_CASE("behind httplib GET and HEAD are answered as the handler answers them") {
    Service service;
    const Site site{service.handler};
    Connection connection{site};
    const auto got = connection.ask("GET /hook?x=1 HTTP/1.1\r\nHost: bot\r\n\r\n");
    CHECK(got.status == 405);
    CHECK(Connection::header(got, "Allow") == "POST");
    Connection second{site};
    second.write("HEAD /hook HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n");
    CHECK(second.read(false).status == 405);
    CHECK(second.is_over());
    CHECK(service.heard->entries.at(1).outcome == WebhookOutcome::bad_method);

    Service by_get{[](WebhookOptions& options) { options.method = WebhookMethod::get; }};
    int texts = 0;
    by_get.handler.on_text([&](const InboundMessage&) { ++texts; });
    const Site other{by_get.handler};
    WebhookRequest request;
    request.method = "GET";
    request.target = "/hook?MessageSid=" + sid + "&AccountSid=" + account +
                     "&From=whatsapp%3A%2B447700900123&Body=Hi";
    const auto signed_request = Service::sign(request);
    const auto signature = find_header(signed_request.headers, "X-Twilio-Signature");
    Connection third{other};
    CHECK(third
              .ask("GET " + request.target + " HTTP/1.1\r\nHost: bot\r\nX-Twilio-Signature: " +
                   std::string(signature) + "\r\n\r\n")
              .status == 200);
    CHECK(texts == 1);
}

TEST_CASE("behind httplib the body of a GET is no request either") {
    const Recorder recorder;
    const Site site{recorder};
    Connection connection{site};
    const std::string hidden = "GET /hook?hidden HTTP/1.1\r\nHost: bot\r\n\r\n";
    const auto reply = connection.ask("GET /hook HTTP/1.1\r\nHost: bot\r\nContent-Length: " +
                                      std::to_string(hidden.size()) + "\r\n\r\n" + hidden);
    CHECK(reply.status == 200);
    CHECK(reply.body == "<Response/>");
    CHECK(connection.is_over());
    CHECK(recorder.seen->size() == 1);
}

TEST_CASE("behind httplib status and headers go out as they are, each of them") {
    const Site site{[](const WebhookRequest&, const httplib::Request& from) {
        WebhookResponse response;
        response.status = from.path == "/hook" ? 503 : 404;
        response.headers = {{"Retry-After", "7"}, {"X-A", "1"}, {"X-A", "2"}};
        return response;
    }};
    Connection connection{site};
    const auto reply = connection.ask(post("/hook", "", "x"));
    CHECK(reply.status == 503);
    CHECK(reply.body.empty());
    CHECK(Connection::header(reply, "Retry-After") == "7");
    CHECK(reply.head.find("X-A: 1\r\n") != std::string::npos);
    CHECK(reply.head.find("X-A: 2\r\n") != std::string::npos);
    CHECK(Connection{site}.ask(post("/hook/7", "", "x")).status == 404);
}

TEST_CASE("behind httplib nothing of an exception leaves") {
    const Site site{[](const WebhookRequest& request, const httplib::Request&) -> WebhookResponse {
        if (request.body == "memory") throw std::bad_alloc{};
        if (request.body == "int") throw 7;
        throw std::runtime_error{"canary"};
    }};
    const auto reply = Connection{site}.ask(post("/hook", "", "x"));
    CHECK(reply.status == 500);
    CHECK(reply.head.find("canary") == std::string::npos);
    CHECK(reply.body.empty());
    CHECK(Connection{site}.ask(post("/hook", "", "int")).status == 500);
    const auto later = Connection{site}.ask(post("/hook", "", "memory"));
    CHECK(later.status == 503);
    CHECK(Connection::header(later, "Retry-After") == "1");
}

TEST_CASE("behind httplib a webhook that comes twenty times at once is handled once") {
    WebhookHandler handler{RequestValidator{token},
                           {.public_url = PublicUrl::fixed("https://example.com")}};
    std::atomic<int> runs{0};
    handler.on_text([&](const InboundMessage&) { ++runs; });
    const Site site{handler};
    const auto text = post(Service::request(
        {{"MessageSid", sid}, {"AccountSid", account}, {"From", customer}, {"Body", "Hi"}}));
    std::atomic<int> good{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 20; ++i) {
        clients.emplace_back([&] {
            const auto status = Connection{site}.ask(text).status;
            if (status == 200 || status == 503) ++good;
        });
    }
    for (auto& client : clients) client.join();
    CHECK(runs == 1);
    CHECK(good == 20);
}

}  // namespace httplib_test
