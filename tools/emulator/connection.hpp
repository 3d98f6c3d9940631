/// @file
/// A client's connection, with the limits that keep a hostile one from doing harm.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace emulator {

class Connections;

/// Plain or TLS. What a request may take is limited in bytes and in time. One thread uses it, but
/// for what Connections does.
class Connection {
public:
    static constexpr std::size_t max_head_bytes = 64u << 10;
    static constexpr std::size_t max_request_bytes = 5u << 20;  ///< With its head.
    /// A byte of a head costs more than itself: "a:" becomes a name and a value of their own.
    static constexpr std::size_t head_cost = 16;
    static constexpr std::chrono::seconds request_time{30};  ///< From its first byte to its last.
    static constexpr std::chrono::seconds write_time{10};    ///< Without any progress.
    /// Between requests. Longer than clients keep theirs: it is not this side that drops one.
    static constexpr std::chrono::seconds idle_time{600};

    /// Takes the socket over; `tls` may be null.
    Connection(int socket, SSL_CTX* tls, Connections& all);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The connection that this thread serves; null if it serves none.
    static Connection* current() noexcept;

    /// Waits for the first byte of a request; false when there will be none.
    bool wait_for_request();
    /// As `recv`, and `send`, but -1 also when a limit is passed.
    long read(char* to, std::size_t size);
    long write(const char* from, std::size_t size);
    bool is_over() const noexcept { return over_; }
    /// What comes now is the body.
    void head_is_read() noexcept { most_bytes_ = max_request_bytes; }
    /// Says that this many more bytes of the memory are this request's, until the next one is
    /// waited for. False if that is too much, and the connection over.
    bool hold(std::size_t bytes);
    /// No further request is taken: where this one's body ends is not known.
    void make_last() noexcept { last_ = true; }

    /// Ends it at once.
    void end(bool by_reset);
    /// Waits until the other side goes away, for ten minutes at most.
    void wait_for_the_end() const;

    int socket() const noexcept { return socket_; }
    std::pair<std::string, int> peer() const;
    std::pair<std::string, int> own() const;

private:
    friend class Connections;
    using Time = std::chrono::steady_clock::time_point;
    enum class Step { done, again_when_readable, again_when_writable, over };

    bool handshake();
    bool fill(Time until);
    Step step_of(long result, Step again) const;
    bool wait(Step step, Time until) const;
    void drain();

    int socket_;
    Connections* all_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    std::array<char, 16 * 1024> buffer_{};
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t request_bytes_ = 0;
    std::size_t most_bytes_ = max_head_bytes;
    std::size_t held_ = 0;  ///< Connections guards it.
    Time request_end_{};
    bool over_ = false;
    bool last_ = false;
    bool reset_ = false;
    std::atomic<bool> idle_{true};
    std::atomic<std::chrono::steady_clock::rep> last_progress_;
};

/// Those there are. Too many at once cost those their place that have been quiet the longest, and
/// so does too much memory that all of them hold together. Thread-safe.
class Connections {
public:
    static constexpr std::size_t max_held_bytes = 128u << 20;

    explicit Connections(std::size_t limit) : limit_(limit) {}
    /// Ends those that wait for a request.
    void end_idle();

private:
    friend class Connection;
    void add(Connection& connection);
    void remove(Connection& connection);
    bool hold(Connection& connection, std::size_t bytes);
    void release(Connection& connection);
    template <class Predicate>
    bool drop_quietest(const Predicate& may_go);

    std::mutex mutex_;
    std::set<Connection*> all_;
    std::size_t limit_;
    std::size_t held_ = 0;
};

}  // namespace emulator
