// A RedisStore, beside bare hiredis that has a server run the same script, a blocking connection
// for each thread. In turns, in one process, on the same server.
//
// Usage: redis_beside_hiredis [writes] [rounds] unix://<socket>
#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>

#include "measure.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::cpu_seconds;
using benchmark_support::median;
using benchmark_support::wall_seconds;

const std::string value(100, 'v');

void need(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
}

/// What the store has the server run: the bare loop does the same.
class ScriptSpy final : public RedisConnection {
public:
    explicit ScriptSpy(std::shared_ptr<RedisConnection> to) : to_(std::move(to)) {}
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        if (arguments[0] == "EVALSHA") sha = arguments[1];
        return to_->command(arguments, deadline);
    }
    std::string sha = {};

private:
    std::shared_ptr<RedisConnection> to_;
};

/// Writes that each name the version before, by so many threads, each to a key of its own.
struct Load {
    int threads;
    int writes_per_thread;
};

void in_threads(const Load& load, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < load.threads; ++i) threads.emplace_back([&work, i] { work(i); });
    for (auto& thread : threads) thread.join();
}

void write_bare(const std::string& socket, const std::string& sha, const Load& load) {
    in_threads(load, [&](int thread) {
        redisContext* const context = redisConnectUnix(socket.c_str());
        need(context != nullptr && context->err == 0, "connect");
        const auto key = "bare:" + std::to_string(thread);
        std::string version = "0";
        for (int i = 0; i < load.writes_per_thread; ++i) {
            const char* words[] = {"EVALSHA",       sha.c_str(),   "1",       key.c_str(),
                                   version.c_str(), value.c_str(), "3600000", "123"};
            const std::size_t sizes[] = {7, sha.size(), 1, key.size(), version.size(), value.size(),
                                         7, 3};
            auto* const reply =
                static_cast<redisReply*>(redisCommandArgv(context, 8, words, sizes));
            need(reply != nullptr && reply->type == REDIS_REPLY_STRING && reply->len > 1, "write");
            version.assign(reply->str, reply->len);
            freeReplyObject(reply);
        }
        freeReplyObject(redisCommand(context, "DEL %s", key.c_str()));
        redisFree(context);
    });
}

void write_by_store(const std::string& socket, const Load& load) {
    RedisStore store{std::make_shared<RedisPool>("unix://" + socket,
                                                 RedisPoolOptions{.connections = load.threads})};
    in_threads(load, [&](int thread) {
        const auto key = std::to_string(thread);
        std::uint64_t version = 0;
        for (int i = 0; i < load.writes_per_thread; ++i) {
            version =
                store.compare_and_set(key, version, value, std::chrono::hours{1}, Keep::pinned)
                    .value();
            need(version != 0, "write");
        }
        need(store.erase(key, version).value(), "erase");
    });
}

struct Cost {
    std::vector<double> per_second = {};
    std::vector<double> cpu_micros = {};

    void measure(int writes, const std::function<void()>& work) {
        const auto cpu = cpu_seconds();
        const auto begin = wall_seconds();
        work();
        per_second.push_back(writes / (wall_seconds() - begin));
        cpu_micros.push_back((cpu_seconds() - cpu) / writes * 1e6);
    }
};

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) return 2;
    const std::string url = arguments[count - 1];
    const auto socket = url.substr(std::string_view{"unix://"}.size());
    const int writes = count > 2 ? std::atoi(arguments[1]) : 20'000;
    const int rounds = count > 3 ? std::atoi(arguments[2]) : 7;
    const auto spy = std::make_shared<ScriptSpy>(std::make_shared<RedisPool>(url));
    need(RedisStore{spy}
             .compare_and_set("spy", 0, "", std::chrono::seconds{1}, Keep::pinned)
             .has_value(),
         "open");
    std::printf("%-10s %14s %14s %8s %12s %12s\n", "threads", "bare /s", "store /s", "ratio",
                "bare CPU us", "store CPU us");
    for (const int threads : {1, 4, 16}) {
        const Load load{threads, writes / threads};
        Cost bare;
        Cost store;
        for (int round = 0; round < rounds; ++round) {
            bare.measure(writes, [&] { write_bare(socket, spy->sha, load); });
            store.measure(writes, [&] { write_by_store(socket, load); });
        }
        std::printf("%-10d %14.0f %14.0f %8.3f %12.1f %12.1f\n", threads, median(bare.per_second),
                    median(store.per_second), median(store.per_second) / median(bare.per_second),
                    median(bare.cpu_micros), median(store.cpu_micros));
    }
    return 0;
}
