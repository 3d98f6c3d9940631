#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace emulator {

namespace {

using std::chrono::steady_clock;

thread_local Connection* current_connection = nullptr;

std::pair<std::string, int> text_of(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET6) {
        const auto& known = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &known.sin6_addr, text.data(), text.size());
        return {text.data(), ntohs(known.sin6_port)};
    }
    const auto& known = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &known.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(known.sin_port)};
}

int int_size(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

Connection::Connection(int socket, SSL_CTX* tls, Connections& all)
    : socket_(socket),
      all_(&all),
      ssl_(tls == nullptr ? nullptr : SSL_new(tls), SSL_free),
      over_(tls != nullptr && ssl_ == nullptr),
      last_progress_(steady_clock::now().time_since_epoch().count()) {
    fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
    current_connection = this;
    all_->add(*this);
    if (ssl_) over_ = !handshake();
}

Connection::~Connection() {
    if (ssl_ && !over_) SSL_shutdown(ssl_.get());
    if (!reset_) drain();
    all_->remove(*this);
    current_connection = nullptr;
    ssl_.reset();
    close(socket_);
}

Connection* Connection::current() noexcept {
    return current_connection;
}

bool Connection::handshake() {
    const auto until = steady_clock::now() + write_time;
    SSL_set_fd(ssl_.get(), socket_);
    while (true) {
        ERR_clear_error();
        const auto step = step_of(SSL_accept(ssl_.get()), Step::over);
        if (step == Step::done) return true;
        if (!wait(step, until)) return false;
    }
}

bool Connection::wait_for_request() {
    if (last_) return false;
    request_bytes_ = 0;
    most_bytes_ = max_head_bytes;
    all_->release(*this);
    idle_ = true;
    const bool ready = begin_ < end_ || fill(steady_clock::now() + idle_time);
    idle_ = false;
    request_end_ = steady_clock::now() + request_time;
    return ready;
}

long Connection::read(char* to, std::size_t size) {
    if (begin_ == end_ && !fill(request_end_)) return -1;
    const auto count = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<long>(count);
}

long Connection::write(const char* from, std::size_t size) {
    const auto until = steady_clock::now() + write_time;
    while (!over_) {
        ERR_clear_error();
        const long sent = ssl_ ? SSL_write(ssl_.get(), from, int_size(size))
                               : send(socket_, from, size, MSG_NOSIGNAL);
        if (sent > 0) {
            last_progress_ = steady_clock::now().time_since_epoch().count();
            return sent;
        }
        over_ = !wait(step_of(sent, Step::again_when_writable), until);
    }
    return -1;
}

/// Gets what there is, waiting for it if need be.
bool Connection::fill(Time until) {
    while (!over_ && request_bytes_ <= most_bytes_) {
        ERR_clear_error();
        const long got = ssl_ ? SSL_read(ssl_.get(), buffer_.data(), int_size(buffer_.size()))
                              : recv(socket_, buffer_.data(), buffer_.size(), 0);
        if (got > 0) {
            begin_ = 0;
            end_ = static_cast<std::size_t>(got);
            request_bytes_ += end_;
            last_progress_ = steady_clock::now().time_since_epoch().count();
            return most_bytes_ != max_head_bytes || hold(end_ * head_cost);
        }
        if (!wait(step_of(got, Step::again_when_readable), until)) break;
    }
    over_ = true;
    return false;
}

bool Connection::hold(std::size_t bytes) {
    over_ = over_ || !all_->hold(*this, bytes);
    return !over_;
}

/// What follows from what OpenSSL said, or the system, where `again` is what it would wait for.
Connection::Step Connection::step_of(long result, Step again) const {
    if (!ssl_) return result < 0 && (errno == EAGAIN || errno == EINTR) ? again : Step::over;
    switch (SSL_get_error(ssl_.get(), static_cast<int>(result))) {
        case SSL_ERROR_NONE:
            return Step::done;
        case SSL_ERROR_WANT_READ:
            return Step::again_when_readable;
        case SSL_ERROR_WANT_WRITE:
            return Step::again_when_writable;
        default:
            return Step::over;
    }
}

bool Connection::wait(Step step, Time until) const {
    if (step == Step::over) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return false;
    const short events = step == Step::again_when_writable ? POLLOUT : POLLIN;
    pollfd wanted{socket_, events, 0};
    const int ready = poll(&wanted, 1, static_cast<int>(std::min<long>(left.count(), INT_MAX)));
    return ready > 0 || (ready < 0 && errno == EINTR);
}

void Connection::end(bool by_reset) {
    over_ = true;
    reset_ = by_reset;
    if (by_reset) {
        const linger at_once{1, 0};
        setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    } else {
        shutdown(socket_, SHUT_RDWR);
    }
}

void Connection::wait_for_the_end() const {
    pollfd wanted{socket_, POLLRDHUP, 0};
    constexpr int longest_ms = 600'000;
    poll(&wanted, 1, longest_ms);
}

/// Reads on where a request was refused before its end: else the system would answer the rest
/// with a reset, which takes the answer from the other side before it is read.
void Connection::drain() {
    shutdown(socket_, SHUT_WR);
    constexpr int patience_ms = 100;
    for (int i = 0; i < 64; ++i) {
        pollfd wanted{socket_, POLLIN, 0};
        if (poll(&wanted, 1, patience_ms) <= 0) return;
        if (recv(socket_, buffer_.data(), buffer_.size(), 0) <= 0) return;
    }
}

std::pair<std::string, int> Connection::peer() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    return text_of(address);
}

std::pair<std::string, int> Connection::own() const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    return text_of(address);
}

void Connections::add(Connection& connection) {
    const std::lock_guard lock(mutex_);
    if (all_.size() >= limit_) drop_quietest([](const Connection&) { return true; });
    all_.insert(&connection);
}

void Connections::remove(Connection& connection) {
    const std::lock_guard lock(mutex_);
    if (all_.erase(&connection) > 0) held_ -= connection.held_;
}

bool Connections::hold(Connection& connection, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (all_.count(&connection) == 0) return false;
    connection.held_ += bytes;
    held_ += bytes;
    const auto is_other = [&](const Connection& other) {
        return &other != &connection && other.held_ > 0;
    };
    while (held_ > max_held_bytes) {
        if (!drop_quietest(is_other)) return false;
    }
    return true;
}

void Connections::release(Connection& connection) {
    const std::lock_guard lock(mutex_);
    if (all_.count(&connection) > 0) held_ -= connection.held_;
    connection.held_ = 0;
}

/// Ends, of those that `may_go`, an idle one or the one without progress for the longest; false if
/// there is none. It is on its way out then: the next one is another's turn.
template <class Predicate>
bool Connections::drop_quietest(const Predicate& may_go) {
    Connection* quietest = nullptr;
    const auto rank = [](const Connection& one) {
        return std::pair{!one.idle_, one.last_progress_.load()};
    };
    for (auto* const one : all_) {
        if (may_go(*one) && (quietest == nullptr || rank(*one) < rank(*quietest))) quietest = one;
    }
    if (quietest == nullptr) return false;
    shutdown(quietest->socket_, SHUT_RDWR);
    held_ -= quietest->held_;
    all_.erase(quietest);
    return true;
}

void Connections::end_idle() {
    const std::lock_guard lock(mutex_);
    for (auto* const connection : all_) {
        if (connection->idle_) shutdown(connection->socket_, SHUT_RDWR);
    }
}

}  // namespace emulator
