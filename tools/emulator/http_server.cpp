#include "http_server.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>

namespace emulator {

namespace {

/// A thread for each connection, so that many kept-alive ones do not keep others waiting.
class ThreadPerConnection final : public httplib::TaskQueue {
public:
    /// Nothing, or from httplib 0.14 on whether it was taken.
    using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));

    Enqueued enqueue(std::function<void()> task) override {
        ++*running_;
        try {
            std::thread([running = running_, task] {
                task();
                --*running;
            }).detach();
        } catch (const std::system_error&) {
            // No thread is to be had: the connection is closed.
            is_refusing = true;
            task();
            is_refusing = false;
            --*running_;
        }
        return static_cast<Enqueued>(true);
    }

    /// Gives answers under way a moment to leave; idle connections are not waited for.
    void shutdown() override {
        for (int i = 0; i < 20 && *running_ > 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }

    static thread_local bool is_refusing;

private:
    // Shared with the threads: those of idle connections outlive the queue.
    std::shared_ptr<std::atomic<int>> running_ = std::make_shared<std::atomic<int>>(0);
};
thread_local bool ThreadPerConnection::is_refusing = false;

/// As many open files as the system allows; returns how many connections that leaves room for.
std::size_t make_room() {
    constexpr rlim_t enough = 8'192;
    constexpr std::size_t most_connections = 1'000;
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return most_connections / 4;
    if (files.rlim_cur < enough) {
        files.rlim_cur = std::min(files.rlim_max, enough);
        setrlimit(RLIMIT_NOFILE, &files);
        getrlimit(RLIMIT_NOFILE, &files);
    }
    // Threads of connections that have just lost their place hold theirs for a moment.
    return std::min<std::size_t>(most_connections,
                                 static_cast<std::size_t>(files.rlim_cur) / 4 + 1);
}

std::shared_ptr<SSL_CTX> make_tls(const Certificate& certificate) {
    std::shared_ptr<SSL_CTX> tls{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (!tls || SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate(tls.get(), certificate.certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(tls.get(), certificate.key.get()) != 1) {
        throw std::runtime_error("OpenSSL does not take its own certificate");
    }
    // A write may be tried again from where the rest of the bytes is by then.
    SSL_CTX_set_mode(tls.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

/// A Connection, as httplib wants it. What is virtual differs between its versions.
// NOLINTBEGIN(modernize-use-override)
class ConnectionStream final : public httplib::Stream {
public:
    explicit ConnectionStream(Connection& connection) : connection_(&connection) {}
    bool is_readable() const { return !connection_->is_over(); }
    bool is_writable() const { return !connection_->is_over(); }
    bool wait_readable() const { return !connection_->is_over(); }
    bool wait_writable() const { return !connection_->is_over(); }
    time_t duration() const { return 0; }
    ssize_t read(char* to, size_t size) { return connection_->read(to, size); }
    ssize_t write(const char* from, size_t size) { return connection_->write(from, size); }
    void get_remote_ip_and_port(std::string& ip, int& port) const {
        std::tie(ip, port) = connection_->peer();
    }
    void get_local_ip_and_port(std::string& ip, int& port) const {
        std::tie(ip, port) = connection_->own();
    }
    socket_t socket() const { return connection_->socket(); }

private:
    Connection* connection_;
};
// NOLINTEND(modernize-use-override)

/// Called when the head is read, before httplib makes anything of it.
void begin_request(httplib::Request& request) {
    if (auto* const connection = Connection::current()) connection->head_is_read();
    // Parts of an answer: no one needs them here, and httplib would put as many into the memory as
    // are named.
    request.ranges.clear();
    request.headers.erase("Range");
    // httplib would read a form of several parts by itself, and fail: with a blank before its name
    // it is to httplib a body like any other.
    const auto type = request.headers.find("Content-Type");
    if (type != request.headers.end() && request.is_multipart_form_data()) {
        type->second.insert(0, 1, ' ');
    }
}

}  // namespace

HttpServer::HttpServer(const std::optional<Certificate>& certificate)
    : tls_(certificate ? make_tls(*certificate) : nullptr), connections_(make_room()) {
    set_limits();
}

void HttpServer::widen_backlog() {
    ::listen(svr_sock_, SOMAXCONN);
}

// Later versions of httplib want to be told the addresses, rather than ask the stream.
template <class Self>
bool HttpServer::serve(Self& self, httplib::Stream& stream, bool& closed) {
    if constexpr (requires { self.process_request(stream, false, closed, begin_request); }) {
        return self.process_request(stream, false, closed, begin_request);
    } else {
        std::string peer;
        std::string own;
        int peer_port = 0;
        int own_port = 0;
        stream.get_remote_ip_and_port(peer, peer_port);
        stream.get_local_ip_and_port(own, own_port);
        return self.process_request(stream, peer, peer_port, own, own_port, false, closed,
                                    begin_request);
    }
}

bool HttpServer::process_and_close_socket(socket_t socket) {
    if (ThreadPerConnection::is_refusing) {
        close(socket);
        return false;
    }
    Connection connection{socket, tls_.get(), connections_};
    ConnectionStream stream{connection};
    bool served = true;
    bool closed = false;
    while (served && !closed && connection.wait_for_request()) {
        served = serve(*this, stream, closed);
    }
    return served;
}

void HttpServer::set_limits() {
    set_payload_max_length(max_order_bytes);
    set_tcp_nodelay(true);
    set_keep_alive_max_count(1'000'000'000);
    set_keep_alive_timeout(Connection::idle_time.count());
    // Not httplib's own options: with SO_REUSEPORT two emulators would share a port unnoticed.
    set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    new_task_queue = [] { return new ThreadPerConnection; };
    // What httplib refuses by itself gets a body of Twilio's shape too.
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (!response.body.empty()) return;
        if (auto* const connection = Connection::current()) connection->make_last();
        const auto status = std::to_string(response.status);
        response.set_content(R"({"code":20)" + status +
                                 R"(,"message":"The request is malformed",)" +
                                 R"("more_info":"https://www.twilio.com/docs/errors/20)" + status +
                                 R"(","status":)" + status + "}",
                             "application/json");
    });
    // Until the answer has left, it counts as much as the request did.
    set_post_routing_handler([](const httplib::Request&, httplib::Response& response) {
        if (auto* const connection = Connection::current()) connection->hold(response.body.size());
    });
}

// Not left to httplib: it takes no form beyond 8 KiB, and without a length it waits for the end of
// the connection.
std::optional<std::string> read_body(const httplib::Request& request,
                                     const httplib::ContentReader& reader, std::size_t most) {
    std::string body;
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
        return body;
    }
    const bool whole = reader([&](const char* data, std::size_t size) {
        if (size > most - body.size()) return false;
        body.append(data, size);
        auto* const connection = Connection::current();
        return connection == nullptr || connection->hold(size);
    });
    if (!whole) {
        if (auto* const connection = Connection::current()) connection->make_last();
        return std::nullopt;
    }
    return body;
}

}  // namespace emulator
