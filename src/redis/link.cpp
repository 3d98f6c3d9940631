#include "redis/link.hpp"

#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "redis/fault.hpp"
#include "redis/quiet_pipe.hpp"
#include "redis/waiting.hpp"

namespace twiliowa::detail {
namespace {

/// -1 if there is no connection at the deadline. A socket of the system's says so at once.
int connected_socket(const sockaddr* address, socklen_t length, MonotonicTime deadline) noexcept {
    const int socket = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return -1;
    int fault = 0;
    if (::connect(socket, address, length) != 0) {
        fault = errno;
        if (fault == EINPROGRESS && await_socket(socket, POLLOUT, deadline)) {
            socklen_t size = sizeof fault;
            if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &fault, &size) != 0) fault = errno;
        }
    }
    if (fault == 0) return socket;
    ::close(socket);
    return -1;
}

int connect_by_path(const std::string& path, MonotonicTime deadline) noexcept {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return -1;
    std::memcpy(address.sun_path, path.data(), path.size());
    return connected_socket(reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
}

int connect_by_name(const std::string& host, const std::string& port, MonotonicTime deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, ::freeaddrinfo};
    int left = 0;
    for (const auto* address = found; address != nullptr; address = address->ai_next) ++left;
    for (const auto* address = found; address != nullptr; address = address->ai_next, --left) {
        // An address that does not answer leaves time for the others.
        const auto now = std::chrono::steady_clock::now();
        const int socket =
            connected_socket(address->ai_addr, address->ai_addrlen, now + (deadline - now) / left);
        if (socket < 0) continue;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        return socket;
    }
    return -1;
}

struct ReplyEnd {
    void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};

/// A command as it goes over the wire.
class WireCommand {
public:
    explicit WireCommand(std::span<const std::string_view> arguments) {
        std::vector<const char*> texts;
        std::vector<std::size_t> lengths;
        texts.reserve(arguments.size());
        lengths.reserve(arguments.size());
        for (const auto argument : arguments) {
            texts.push_back(argument.data());
            lengths.push_back(argument.size());
        }
        const auto size = ::redisFormatCommandArgv(&text_, static_cast<int>(arguments.size()),
                                                   texts.data(), lengths.data());
        size_ = size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    WireCommand(const WireCommand&) = delete;
    WireCommand& operator=(const WireCommand&) = delete;
    ~WireCommand() {
        if (text_ != nullptr) ::redisFreeCommand(text_);
    }
    std::string_view text() const noexcept { return {text_, size_}; }

private:
    char* text_ = nullptr;
    std::size_t size_ = 0;
};

bool send_plain(int socket, std::string_view text, MonotonicTime deadline) noexcept {
    while (!text.empty()) {
        const auto sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            text.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!await_socket(socket, POLLOUT, deadline)) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool send_in_tls(redisContext* context, std::string_view text, MonotonicTime deadline) noexcept {
    if (::redisAppendFormattedCommand(context, text.data(), text.size()) != REDIS_OK) return false;
    const QuietPipe quiet;
    for (int done = 0; done == 0;) {
        if (!await_socket(context->fd, POLLOUT, deadline)) return false;
        if (::redisBufferWrite(context, &done) != REDIS_OK) return false;
    }
    return true;
}

/// As when it is refused at connecting: the next command would not fare better.
bool ends_connection(std::string_view error) noexcept {
    const auto fault = redis_fault(error);
    return fault == RedisFault::read_only || fault == RedisFault::crowded ||
           fault == RedisFault::no_login;
}

}  // namespace

void RedisLink::End::operator()(redisContext* context) const noexcept {
    ::redisFree(context);
}

RedisLink::RedisLink(std::shared_ptr<const RedisTarget> target) noexcept
    : target_(std::move(target)) {}

RedisLink::~RedisLink() = default;

void RedisLink::close() noexcept {
    const QuietPipe quiet;
    context_.reset();
    tls_ = nullptr;
}

// ---- Opening

Result<RedisReply> RedisLink::open(MonotonicTime deadline) {
    const auto refused = [](const Result<RedisReply>& answer) {
        return !answer || answer->kind == RedisReplyKind::error;
    };
    if (auto connected = connect(deadline); !connected) {
        close();
        return connected.error();
    }
    auto answer = log_in(deadline);
    if (!refused(answer)) answer = choose_database(deadline);
    if (refused(answer)) close();
    return answer;
}

Result<void> RedisLink::connect(MonotonicTime deadline) {
    const auto& address = target_->address;
    const int socket = address.host.empty() ? connect_by_path(address.path, deadline)
                                            : connect_by_name(address.host, address.port, deadline);
    if (socket < 0) return redis_error(RedisFault::unreachable);
    return adopt(socket, deadline);
}

Result<void> RedisLink::adopt(int socket, MonotonicTime deadline) {
    context_.reset(::redisConnectFd(socket));
    if (!context_) {
        ::close(socket);
        return redis_error(RedisFault::unreachable);
    }
    if (context_->err != 0) return redis_error(RedisFault::unreachable);
    // From 1.0 on it is taken for one that blocks, which it is not.
    context_->flags &= ~REDIS_BLOCK;
    if (!target_->tls) return {};
    tls_ = target_->tls->secure(context_.get(), deadline);
    if (tls_ == nullptr) {
        return store_error("cannot be reached by TLS",
                           "see that the server speaks TLS on this port, and that its certificate "
                           "is for this host and of an authority that is trusted (ca_file)");
    }
    return {};
}

Result<RedisReply> RedisLink::log_in(MonotonicTime deadline) {
    const auto password = target_->password.reveal();
    if (password.empty()) return RedisReply{};
    std::vector<std::string_view> command{"AUTH"};
    if (!target_->address.user.empty()) command.emplace_back(target_->address.user);
    command.push_back(password);
    return introduce(command, deadline);
}

Result<RedisReply> RedisLink::choose_database(MonotonicTime deadline) {
    if (target_->address.database == 0) return RedisReply{};
    const auto number = std::to_string(target_->address.database);
    const std::string_view command[] = {"SELECT", number};
    return introduce(command, deadline);
}

/// Without an answer nothing was done yet that anybody asked for.
Result<RedisReply> RedisLink::introduce(std::span<const std::string_view> command,
                                        MonotonicTime deadline) {
    auto answer = exchange(command, deadline);
    if (!answer) return redis_error(RedisFault::unreachable);
    return answer;
}

// ---- Commands

Result<RedisReply> RedisLink::exchange(std::span<const std::string_view> arguments,
                                       MonotonicTime deadline) {
    const bool sent = send(arguments, deadline);
    // A server that hangs up before it has read may have said why.
    void* received = nullptr;
    if (!receive(received, sent ? deadline : MonotonicTime::min())) {
        close();
        return redis_error(RedisFault::lost);
    }
    const std::unique_ptr<redisReply, ReplyEnd> owner{static_cast<redisReply*>(received)};
    auto reply = redis_reply(*owner);
    const bool is_error = reply.kind == RedisReplyKind::error;
    if (!sent || (is_error && ends_connection(reply.text))) close();
    if (!sent && !is_error) return redis_error(RedisFault::lost);
    return reply;
}

bool RedisLink::send(std::span<const std::string_view> arguments, MonotonicTime deadline) {
    const WireCommand command{arguments};
    if (command.text().empty()) return false;
    return tls_ == nullptr ? send_plain(context_->fd, command.text(), deadline)
                           : send_in_tls(context_.get(), command.text(), deadline);
}

bool RedisLink::receive(void*& reply, MonotonicTime deadline) {
    while (true) {
        if (::redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return false;
        if (reply != nullptr) return true;
        const bool has_come = tls_ != nullptr && RedisTls::has_pending(tls_);
        if (!has_come && !await_socket(context_->fd, POLLIN, deadline)) return false;
        if (::redisBufferRead(context_.get()) != REDIS_OK) return false;
    }
}

bool RedisLink::has_ended() const noexcept {
    return await_socket(context_->fd, POLLIN, MonotonicTime::min());
}

}  // namespace twiliowa::detail
