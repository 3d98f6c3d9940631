// The web server of examples/systems, by what its users could do to it.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "support/web_server.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/free_port.hpp"

namespace web_server_test {
namespace {

using twiliowa::test::free_port;

/// How often the system refused a server a connection for want of files.
std::atomic<int> refused{0};

/// Of one request, over a socket of its own.
class Client {
public:
    explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        is_connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool is_connected() const { return is_connected_; }
    void send(std::string_view text) const {
        REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    /// So fast that there is always more to read.
    void send_until_refused(std::string_view text) const {
        std::string many;
        for (int i = 0; i < 100'000; ++i) many += text;
        while (::send(socket_, many.data(), many.size(), MSG_NOSIGNAL) > 0) {
        }
    }
    /// An end, not a break.
    bool has_ended() const {
        char byte = 0;
        return ::recv(socket_, &byte, 1, 0) == 0;
    }
    /// What has come by the time that `end` has, or by the end of the connection.
    std::string receive(std::string_view end = {}) const {
        std::string all;
        std::array<char, 4096> part{};
        while (end.empty() || all.find(end) == std::string::npos) {
            const auto size = ::recv(socket_, part.data(), part.size(), 0);
            if (size <= 0) break;
            all.append(part.data(), static_cast<std::size_t>(size));
        }
        return all;
    }
    std::string ask(std::string_view request) const {
        send(request);
        return receive();
    }

private:
    int socket_;
    bool is_connected_ = false;
};

/// More than the system keeps for a connection.
constexpr std::size_t large = 16'000'000;

struct Echo {
    explicit Echo(std::chrono::milliseconds patience = std::chrono::seconds{10})
        : server(patience) {
        server.Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
            response.set_content(request.remote_addr + ' ' + request.body, "text/plain");
        });
        server.Get("/large", [](const httplib::Request&, httplib::Response& response) {
            response.set_content(std::string(large, 'a'), "text/plain");
        });
        server.Post("/refuses", [](const httplib::Request&, httplib::Response& response,
                                   const httplib::ContentReader&) { response.status = 413; });
        server.Get("/throws", [](const httplib::Request&, httplib::Response&) {
            throw std::runtime_error("a secret");
        });
        server.start(port);
    }
    int port = free_port();
    support::WebServer server;
};

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

constexpr std::string_view hello =
    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello";

TEST_CASE("a connection is for one request, which is answered with its id") {
    const Echo echo;
    const auto answer = Client{echo.port}.ask(hello);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(answer, "\r\nX-Request-Id: "));
    CHECK(has(answer, "\r\nConnection: close\r\n"));
    CHECK(answer.ends_with("\r\n\r\n127.0.0.1 hello"));
}

TEST_CASE("a request may come in parts") {
    const Echo echo;
    const Client client{echo.port};
    for (const char letter : hello) client.send({&letter, 1});
    CHECK(client.receive().ends_with(" hello"));
}

TEST_CASE("who asks whether to continue is told before the body comes") {
    const Echo echo;
    const Client client{echo.port};
    client.send(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        "Expect: 100-continue\r\n\r\n");
    CHECK(client.receive("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(client.ask("hello").ends_with(" hello"));
}

TEST_CASE("an answer that the system does not take at once comes whole") {
    const Echo echo;
    const auto answer = Client{echo.port}.ask("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(answer.size() > large);
    CHECK(answer.ends_with(std::string(large, 'a')));
}

TEST_CASE("what a route throws is 503, and its text nobody's") {
    const Echo echo;
    const auto answer = Client{echo.port}.ask("GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(answer.starts_with("HTTP/1.1 503 "));
    CHECK(!has(answer, "secret"));
}

TEST_CASE("who goes before the answer, or breaks off, takes nobody with him") {
    const Echo echo;
    for (int i = 0; i < 100; ++i) {
        Client{echo.port}.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Client{echo.port}.send(hello.substr(0, hello.size() - 1));
    }
    CHECK(Client{echo.port}.ask(hello).ends_with(" hello"));
}

TEST_CASE("a request that does not end, and an answer that nobody takes, end with their time") {
    const Echo echo{std::chrono::milliseconds{50}};
    const Client slow{echo.port};
    slow.send(hello.substr(0, hello.size() - 1));
    CHECK(!has(slow.receive(), "hello"));
    // By the first byte each thread has one; the next is answered when they are free again.
    std::vector<std::unique_ptr<Client>> idle;
    for (int i = 0; i < 32; ++i) {
        idle.push_back(std::make_unique<Client>(echo.port));
        idle.back()->send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    CHECK(Client{echo.port}.ask(hello).ends_with(" hello"));
}

TEST_CASE("a request without end has no more time for coming fast") {
    const Echo echo{std::chrono::milliseconds{50}};
    const std::pair<std::string_view, std::string_view> floods[] = {
        {"POST /echo HTTP/1.1\r\n", "Name: value\r\n"},
        {"POST /echo HTTP/1.1\r\nName: ", "a"},
        {"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"}};
    for (const auto& [begin, more] : floods) {
        const Client client{echo.port};
        client.send(begin);
        client.send_until_refused(more);
    }
    CHECK(Client{echo.port}.ask(hello).ends_with(" hello"));
}

TEST_CASE("who sends what is not read has the answer for all that") {
    const Echo echo;
    const Client client{echo.port};
    client.send("POST /refuses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" +
                std::string(100'000, 'a'));
    CHECK(client.receive("\r\n\r\n").starts_with("HTTP/1.1 413 "));
    CHECK(client.has_ended());
}

TEST_CASE("more at once than there are threads are all answered") {
    const Echo echo;
    std::vector<std::future<std::string>> answers;
    for (int i = 0; i < 100; ++i) {
        answers.push_back(
            std::async(std::launch::async, [&] { return Client{echo.port}.ask(hello); }));
    }
    for (auto& answer : answers) CHECK(answer.get().ends_with(" hello"));
}

/// As few more files as this may have, until it ends.
class FileLimit {
public:
    FileLimit() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(next);
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~FileLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;

private:
    rlimit before_ = {};
};

TEST_CASE("where no more files can be opened a connection waits until one can") {
    const Echo echo;
    const Client client{echo.port};
    {
        const FileLimit limit;
        REQUIRE(::dup(0) == -1);
        const int before = refused;
        client.send(hello);
        while (refused < before + 3) std::this_thread::yield();
    }
    CHECK(client.receive().ends_with(" hello"));
    CHECK(Client{echo.port}.ask(hello).ends_with(" hello"));
}

TEST_CASE("a port is one server's") {
    const Echo echo;
    support::WebServer second;
    CHECK_THROWS_WITH_AS(second.start(echo.port),
                         ("port " + std::to_string(echo.port) + " is taken").c_str(),
                         std::runtime_error);
}

TEST_CASE("the end answers what is under way, and accepts nothing more") {
    const int port = free_port();
    std::promise<void> asked;
    std::promise<void> may_answer;
    support::WebServer server;
    server.Get("/", [&](const httplib::Request&, httplib::Response& response) {
        asked.set_value();
        may_answer.get_future().wait();
        response.set_content("late", "text/plain");
    });
    server.start(port);
    const Client client{port};
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    asked.get_future().wait();
    auto ended = std::async(std::launch::async, [&] { server.end(); });
    while (Client{port}.is_connected()) std::this_thread::yield();
    may_answer.set_value();
    CHECK(client.receive().ends_with("late"));
    ended.get();
    server.end();  // Once more does no harm.
}

TEST_CASE("one that was never started ends") {
    const support::WebServer server;
}

}  // namespace
}  // namespace web_server_test

/// In place of the C library's.
extern "C" int accept4(int socket, sockaddr* address, socklen_t* size, int flags) {
    const auto answer = ::syscall(SYS_accept4, socket, address, size, flags);
    if (answer < 0 && errno == EMFILE) ++web_server_test::refused;
    return static_cast<int>(answer);
}
