#include "web_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <twiliowa/metrics_observer.hpp>

#include "log.hpp"

namespace support {

namespace {

using namespace std::chrono_literals;

constexpr int threads = 32;
/// How large a request may be, its head included.
constexpr std::size_t most_taken = std::size_t{64} * 1024 * 1024;
/// How much of an answer is kept, so that head and body leave as one.
constexpr std::size_t most_kept = std::size_t{64} * 1024;

/// A connection that was accepted, until it is closed. What is virtual in httplib's Stream differs
/// between its versions.
// NOLINTBEGIN(modernize-use-override)
class Connection final : public httplib::Stream {
public:
    Connection(int socket, const sockaddr_in& peer, int own_port,
               std::chrono::milliseconds patience)
        : socket_(socket), peer_(peer), own_port_(own_port), patience_(patience) {}
    /// What came and was not read would make the end a break, which takes the answer with it.
    ~Connection() {
        ::shutdown(socket_, SHUT_RDWR);
        ::close(socket_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool is_readable() const { return true; }
    bool is_writable() const { return true; }
    bool wait_readable() const { return true; }
    bool wait_writable() const { return true; }
    time_t duration() const { return 0; }
    socket_t socket() const { return socket_; }
    void get_remote_ip_and_port(std::string& ip, int& port) const {
        std::array<char, INET_ADDRSTRLEN> text{};
        ip = ::inet_ntop(AF_INET, &peer_.sin_addr, text.data(), text.size());
        port = ntohs(peer_.sin_port);
    }
    void get_local_ip_and_port(std::string& ip, int& port) const {
        ip = "127.0.0.1";
        port = own_port_;
    }

    /// Who asked `Expect: 100-continue` has its answer before more is waited for.
    ssize_t read(char* to, std::size_t size) {
        if (came_.empty() && !fill()) return -1;
        const auto part = std::min(size, came_.size());
        came_.copy(to, part);
        came_.remove_prefix(part);
        return static_cast<ssize_t>(part);
    }
    ssize_t write(const char* from, std::size_t size) {
        leaving_.append(from, size);
        if (leaving_.size() > most_kept && !flush()) return -1;
        return static_cast<ssize_t>(size);
    }
    bool flush() {
        const auto until = Clock::now() + patience_;
        std::string_view rest = leaving_;
        while (!rest.empty()) {
            const auto sent =
                ::send(socket_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(sent));
            } else if (!waits(POLLOUT, until)) {
                break;
            }
        }
        const bool left = rest.empty();
        leaving_.clear();
        return left;
    }

private:
    using Clock = std::chrono::steady_clock;
    using Time = Clock::time_point;

    bool fill() {
        if (!flush()) return false;
        while (Clock::now() < read_until_ && taken_ < most_taken) {
            const auto size = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
            if (size > 0) {
                came_ = {buffer_.data(), static_cast<std::size_t>(size)};
                taken_ += came_.size();
                return true;
            }
            if (size == 0 || !waits(POLLIN, read_until_)) return false;
        }
        return false;
    }
    /// After an error. False: it was no question of time, or there is none left.
    bool waits(short event, Time until) const {
        if (errno == EINTR) return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd waiting{.fd = socket_, .events = event, .revents = 0};
        return left > 0ms && ::poll(&waiting, 1, static_cast<int>(left.count())) != 0;
    }

    const int socket_;
    const sockaddr_in peer_;
    const int own_port_;
    const std::chrono::milliseconds patience_;
    const Time read_until_ = Clock::now() + patience_;
    std::array<char, std::size_t{4} * 1024> buffer_;
    std::size_t taken_ = 0;
    std::string_view came_ = {};  // Of the buffer.
    std::string leaving_ = {};
};
// NOLINTEND(modernize-use-override)

/// What a call of the system's answered, if it was no error.
int checked(int answer) {
    if (answer < 0) throw std::system_error(errno, std::generic_category());
    return answer;
}

}  // namespace

WebServer::WebServer(std::chrono::milliseconds patience) : patience_(patience) {
    set_pre_routing_handler([](const httplib::Request&, httplib::Response& response) {
        response.set_header("X-Request-Id", begin_request());
        return HandlerResponse::Unhandled;
    });
    set_exception_handler([](const httplib::Request&, httplib::Response& response,
                             std::exception_ptr) { response.status = 503; });
}

WebServer::~WebServer() {
    end();
}

void WebServer::start(int port) {
    const int yes = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    port_ = port;
    socket_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // A port is one process's: httplib would share it, and requests would go to either.
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    // A connection is accepted when its request is there.
    ::setsockopt(socket_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &yes, sizeof yes);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket_, SOMAXCONN) != 0) {
        throw std::runtime_error("port " + std::to_string(port) + " is taken");
    }
    while (threads_.size() < threads) {
        // Of those that wait in accept itself the next would be the one that waits longest, whose
        // memory is in no cache any more. Of these it is always the first that is free.
        const int waiting = epolls_.emplace_back(checked(::epoll_create1(EPOLL_CLOEXEC)));
        epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {}};
        checked(::epoll_ctl(waiting, EPOLL_CTL_ADD, socket_, &event));
        threads_.emplace_back([this, waiting] { accept_and_serve(waiting); });
    }
}

void WebServer::end() {
    ends_ = true;
    // Who waits for a connection is woken.
    ::shutdown(socket_, SHUT_RDWR);
    threads_.clear();
    for (const int waiting : epolls_) ::close(waiting);
    epolls_.clear();
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void WebServer::accept_and_serve(int waiting) {
    while (!ends_) {
        epoll_event event{};
        ::epoll_wait(waiting, &event, 1, -1);
        if (ends_) return;
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        const int socket =
            ::accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC);
        if (socket >= 0) {
            Connection connection{socket, peer, port_, patience_};
            serve(*this, connection);
            connection.flush();
        } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            // No file or no memory is to be had, which passes. The connection waits.
            std::this_thread::sleep_for(10ms);
        }
    }
}

// Later versions of httplib want to be told the addresses, rather than ask the stream.
template <class Self>
void WebServer::serve(Self& self, httplib::Stream& stream) try {
    bool closed = false;
    if constexpr (requires { self.process_request(stream, true, closed, nullptr); }) {
        self.process_request(stream, true, closed, nullptr);
    } else {
        std::string peer;
        std::string own;
        int peer_port = 0;
        int own_port = 0;
        stream.get_remote_ip_and_port(peer, peer_port);
        stream.get_local_ip_and_port(own, own_port);
        self.process_request(stream, peer, peer_port, own, own_port, true, closed, nullptr);
    }
} catch (const std::exception&) {
    // No memory: the connection ends without an answer.
}

void add_metrics(httplib::Server& server, std::function<std::string()> text) {
    server.Get("/metrics",
               [text = std::move(text)](const httplib::Request&, httplib::Response& response) {
                   response.set_content(text(), twiliowa::MetricsObserver::content_type);
               });
}

}  // namespace support
