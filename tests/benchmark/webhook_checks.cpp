// What express_peer/server.mjs does, by the library's handler on cpp-httplib: the dealer's webhook
// with its checks, known for an hour and queued in Redis, and nothing that is kept on a disk. One
// process; load.sh starts two, as there are of the dealer.
//
// PORT, PUBLIC_URL, REDIS_PORT, TWILIO_AUTH_TOKEN
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/log_observer.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

std::string setting(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) wa::Error::invalid_request(name, "is not set").raise();
    return value;
}

void print(wa::LogLevel, std::string_view line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
}

}  // namespace

int main() try {
    const auto redis = std::make_shared<wa::RedisPool>("redis://127.0.0.1:" + setting("REDIS_PORT"),
                                                       wa::RedisPoolOptions{.connections = 8});
    const auto store =
        std::make_shared<wa::RedisStore>(redis, wa::RedisStoreOptions{.prefix = "checks:"});
    wa::WebhookHandler handler{
        wa::RequestValidator{setting("TWILIO_AUTH_TOKEN")},
        {.public_url = wa::PublicUrl::fixed(setting("PUBLIC_URL")),
         .dedup = std::make_shared<wa::DedupStore>(
             store, wa::DedupOptions{.lease = std::chrono::milliseconds{30s}, .kept = 1h}),
         .observer = std::make_shared<wa::LogObserver>(print),
         .requests_per_peer = 25,
         .peer_period = 60s}};
    handler.on_message([&redis](const wa::InboundMessage& message) {
        const auto queued = message.sid.str() + '\n' + message.account_sid.str() + '\n' +
                            message.from + '\n' + message.to + '\n' + message.profile_name + '\n' +
                            message.body;
        const std::array<std::string_view, 3> words{"LPUSH", "checks:queue", queued};
        redis->command(words, std::chrono::steady_clock::now() + 1s).value();
        return wa::MessagingResponse{};
    });
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(16); };
    server.set_keep_alive_max_count(1'000'000'000);
    server.set_tcp_nodelay(true);
    wa::serve_webhooks(server, "/webhooks/twilio/whatsapp", handler);
    server.listen("127.0.0.1", std::stoi(setting("PORT")));
    return 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "webhook_checks: %s\n", error.what());
    return 1;
}
