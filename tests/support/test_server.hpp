/// @file
/// A server on loopback that misbehaves as told: HTTP/1.1, plain or over TLS, and HTTP/2.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/certificates.hpp"

namespace twiliowa::test {

enum class Protocol { http1, tls_http1, tls_http2 };

/// A request as it arrived. `on_connection` counts the requests of a connection from 0.
struct ReceivedRequest {
    std::string method = {};
    std::string path = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};
    int connection = 0;
    int on_connection = 0;

    std::string header(const std::string& lower_case_name) const;
};

/// What the server does with a request. One whose path holds "early" is asked about when its head
/// is there; any other when it is there whole.
struct Reply {
    enum class Kind {
        normal,         ///< Answers.
        interim,        ///< Answers 103 with a Link header before it answers (HTTP/1).
        close,          ///< Closes without a byte of answer.
        reset,          ///< The same, with a TCP reset.
        hold,           ///< Never answers, until the server is destroyed.
        drip,           ///< Sends the answer byte by byte, never to the end.
        truncate,       ///< Promises more bytes than it sends, and closes.
        stall,          ///< Promises more bytes than it sends, and falls silent (HTTP/1).
        endless,        ///< Promises no length, and sends without end (HTTP/1).
        garbage,        ///< Sends something that is not HTTP.
        huge,           ///< Sends `bytes` bytes of body.
        refuse_stream,  ///< HTTP/2: RST_STREAM with REFUSED_STREAM.
        reset_stream,   ///< HTTP/2: RST_STREAM with INTERNAL_ERROR.
        early_reset,    ///< HTTP/2: answers and resets the stream before the body is read.
        goaway,         ///< HTTP/2: GOAWAY with last stream 0, and closes.
        goaway_after,   ///< HTTP/2: GOAWAY whose last stream is the request's, and closes.
        tunnel,         ///< To a CONNECT: a tunnel to that port here, whatever the host (HTTP/1).
    };
    Kind kind = Kind::normal;
    int status = 201;
    std::string body = "{}";
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::size_t bytes = 0;
};

class TestServer {
public:
    using Handler = std::function<Reply(const ReceivedRequest&)>;

    struct Options {
        Protocol protocol = Protocol::http1;
        Certificates certificates = {};  ///< Needed for TLS.
        bool never_shake_hands = false;  ///< TLS: accepts, and stays silent.
        bool only_tls_1_1 = false;
    };

    explicit TestServer(Options options, Handler handler);
    ~TestServer();
    TestServer(const TestServer&) = delete;
    TestServer& operator=(const TestServer&) = delete;

    /// `https://localhost:PORT`
    std::string url(const std::string& host = "localhost") const;
    int port() const noexcept { return port_; }
    std::vector<ReceivedRequest> requests() const;
    int connections() const;       ///< All that there were.
    int open_connections() const;  ///< Those that neither side has closed.
    /// Waits, at most ten seconds, until so many requests have arrived.
    bool wait_for_requests(std::size_t count) const;
    bool wait_for_connections(int count) const;

private:
    struct Connection;
    class Http2;

    void accept_loop();
    void serve(Connection& connection, int number);
    void serve_http1(Connection& connection, int number);
    bool answer_http1(Connection& connection, const Reply& reply);
    void relay(Connection& connection, const std::string& host_and_port);
    Reply receive(ReceivedRequest request);
    /// Waits for the end of the server; false if it has come.
    bool pause(int milliseconds) const;

    Options options_;
    Handler handler_;
    void* tls_ = nullptr;  ///< SSL_CTX
    int listener_ = -1;
    int port_ = 0;
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool stopping_ = false;
    int connections_ = 0;
    int closed_ = 0;
    std::vector<ReceivedRequest> requests_;
    std::vector<std::unique_ptr<Connection>> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace twiliowa::test
