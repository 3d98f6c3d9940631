#include <twiliowa/redis/redis_pool.hpp>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "redis/address.hpp"
#include "redis/backoff.hpp"
#include "redis/link.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr const char* password_variable = "REDISCLI_AUTH";

Secret password_of_environment() {
    const char* const password = std::getenv(password_variable);
    return Secret{password == nullptr ? std::string_view{} : password};
}

Result<RedisTarget> redis_target(std::string_view url, const RedisPoolOptions& options) {
    if (options.connections < 1) return Error::invalid_request("connections", "is less than 1");
    if (options.connect_timeout.count() <= 0) {
        return Error::invalid_request("connect_timeout", "is not positive");
    }
    auto address = parse_redis_url(url);
    if (!address) return address.error();
    RedisTarget target;
    target.address = std::move(*address);
    if (target.address.tls) {
        auto tls = RedisTls::create(target.address.host, options.ca_file);
        if (!tls) return tls.error();
        target.tls = std::move(*tls);
    }
    target.password = options.password.empty() ? password_of_environment() : options.password;
    if (!target.address.user.empty() && target.password.empty()) {
        return Error::invalid_request("password", "is missing for the user of the URL",
                                      "the options or REDISCLI_AUTH give it");
    }
    return target;
}

}  // namespace
}  // namespace detail

struct RedisPool::State {
    State(detail::RedisTarget where, const RedisPoolOptions& options)
        : target(std::make_shared<const detail::RedisTarget>(std::move(where))),
          connect_timeout(
              std::min<std::chrono::milliseconds>(options.connect_timeout, std::chrono::hours{24})),
          left(options.connections) {
        idle.reserve(static_cast<std::size_t>(options.connections));
    }

    /// A link that goes back where it came from.
    class Lease {
    public:
        Lease(State& pool, std::unique_ptr<detail::RedisLink> link) noexcept
            : pool_(&pool), link_(std::move(link)) {}
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() {
            if (link_) pool_->take_back(std::move(link_));
        }
        detail::RedisLink& operator*() const noexcept { return *link_; }

    private:
        State* pool_;
        std::unique_ptr<detail::RedisLink> link_;
    };

    Result<Lease> lend(MonotonicTime deadline) {
        std::unique_lock lock(mutex);
        const auto patience =
            std::min(deadline, std::chrono::steady_clock::now() + std::chrono::hours{24});
        if (!returned.wait_until(lock, patience, [&] { return !idle.empty() || left > 0; })) {
            return store_error("has no connection free", "raise connections, or the timeout");
        }
        if (idle.empty()) {
            auto link = std::make_unique<detail::RedisLink>(target);
            --left;
            return Lease{*this, std::move(link)};
        }
        auto link = std::move(idle.back());
        idle.pop_back();
        return Lease{*this, std::move(link)};
    }

    void take_back(std::unique_ptr<detail::RedisLink> link) noexcept {
        // There is room for all of them.
        const std::lock_guard lock(mutex);
        idle.push_back(std::move(link));
        returned.notify_one();
    }

    /// Why it is not open, if it is not: an answer of the server's, or that there is none.
    std::optional<Result<RedisReply>> open(detail::RedisLink& link, MonotonicTime deadline) {
        const auto now = std::chrono::steady_clock::now();
        {
            const std::lock_guard lock(mutex);
            if (auto refusal = backoff.refusal(now)) return refusal;
        }
        auto opened = link.open(std::min(deadline, now + connect_timeout));
        const std::lock_guard lock(mutex);
        if (link.is_open()) {
            backoff.succeeded();
            return std::nullopt;
        }
        backoff.failed(opened, std::chrono::steady_clock::now(),
                       std::uniform_real_distribution<double>{}(random));
        return opened;
    }

    const std::shared_ptr<const detail::RedisTarget> target;
    const std::chrono::milliseconds connect_timeout;
    const pid_t process = ::getpid();
    std::mutex mutex = {};
    std::condition_variable returned = {};
    int left;  ///< Links that may still be made.
    /// The last that came back is the first that goes out: few stay open where few are needed.
    std::vector<std::unique_ptr<detail::RedisLink>> idle = {};
    detail::RedisBackoff backoff = {};
    std::minstd_rand random{std::random_device{}()};
};

bool RedisPool::has_tls() noexcept {
    return detail::RedisTls::is_built_in();
}

RedisPool::RedisPool(const std::string& url, const RedisPoolOptions& options)
    : state_(std::make_unique<State>(detail::redis_target(url, options).value(), options)) {}

RedisPool::~RedisPool() = default;

Result<RedisReply> RedisPool::command(std::span<const std::string_view> arguments,
                                      MonotonicTime deadline) {
    // Before the mutex, which the parent may have held.
    if (::getpid() != state_->process) {
        return store_error("was opened before fork()", "open one in each process");
    }
    auto lease = state_->lend(deadline);
    if (!lease) return lease.error();
    auto& link = **lease;
    if (link.is_open() && link.has_ended()) link.close();
    if (!link.is_open()) {
        if (auto refusal = state_->open(link, deadline)) return *std::move(refusal);
    }
    return link.exchange(arguments, deadline);
}

}  // namespace twiliowa
