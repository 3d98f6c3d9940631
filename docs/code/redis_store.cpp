// What docs/several-processes.md shows of Redis. Takes the server's URL.
#include <hiredis/hiredis.h>

#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/redis/redis_limiter.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>
#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

// As much of redis++ as is shown here; Debian does not have it.
namespace sw::redis {

struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct ReplyError : Error {
    using Error::Error;
};

class Redis {
public:
    explicit Redis(const std::string& url)
        : context_(::redisConnectUnix(url.substr(sizeof "unix://" - 1).c_str()), ::redisFree) {}

    template <class Iterator>
    std::shared_ptr<redisReply> command(Iterator first, Iterator last) {
        std::vector<const char*> texts;
        std::vector<std::size_t> lengths;
        for (; first != last; ++first) {
            texts.push_back(first->data());
            lengths.push_back(first->size());
        }
        auto* const got = static_cast<redisReply*>(::redisCommandArgv(
            context_.get(), static_cast<int>(texts.size()), texts.data(), lengths.data()));
        if (got == nullptr) throw Error{"lost"};
        std::shared_ptr<redisReply> reply{got, ::freeReplyObject};
        if (reply->type == REDIS_REPLY_ERROR) throw ReplyError{reply->str};
        return reply;
    }

private:
    std::shared_ptr<redisContext> context_;
};

}  // namespace sw::redis

// [adapter]
/// redis++ in place of RedisPool: with its sentinels, its pool, its limits of time.
class OverRedisPlusPlus final : public wa::RedisConnection {
public:
    explicit OverRedisPlusPlus(sw::redis::Redis& redis) : redis_(redis) {}
    wa::Result<wa::RedisReply> command(std::span<const std::string_view> arguments,
                                       wa::MonotonicTime) override try {
        return wa::redis_reply(*redis_.command(arguments.begin(), arguments.end()));
    } catch (const sw::redis::ReplyError& error) {
        return wa::RedisReply{wa::RedisReplyKind::error, error.what()};
    } catch (const sw::redis::Error&) {
        return wa::store_error("lost its server", "see that it runs, and try again");
    }

private:
    sw::redis::Redis& redis_;
};
// [adapter]

int main(int, char** arguments) {
    const std::string url = arguments[1];
    // [store]
    const auto redis = std::make_shared<wa::RedisPool>(url);
    const auto store = std::make_shared<wa::RedisStore>(redis);
    const auto dedup = std::make_shared<wa::DedupStore>(store);
    const auto window = std::make_shared<wa::ConversationWindow>(store);
    // [store]
    // [limiter]
    wa::ClientOptions client;
    client.rate_limiter = std::make_shared<wa::RedisLimiter>(
        redis, wa::RedisLimiterOptions{.per_second = 80, .observer = client.observer});
    // [limiter]
    // [private]
    const wa::Sealer sealer{wa::KeyRing::from_environment()};
    const auto kept = std::make_shared<wa::SealedStore>(
        std::make_shared<wa::HashedStore>(store, sealer, "2026-11"), sealer);
    // [private]
    sw::redis::Redis other{url};
    const auto over = std::make_shared<wa::RedisStore>(std::make_shared<OverRedisPlusPlus>(other));
    const auto faults = wa::testing::check_store([&] { return over; }, {.threads = 1});
    for (const auto& fault : faults) std::cerr << fault << '\n';
    return faults.empty() && !kept->get("k").value() ? 0 : 1;
}
