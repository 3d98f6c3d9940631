// What express_peer/server.mjs does, by the library's handler on cpp-httplib: the dealer's webhook
// with its checks, known for an hour and queued in Redis, and nothing that is kept on a disk. One
// process; load.sh starts two, as there are of the dealer.
//
//     webhook_checks ends|keeps
//         ends: each connection after its answer, as the dealer does behind nginx. keeps: none.
//
// PORT, PUBLIC_URL, REDIS_PORT, TWILIO_AUTH_TOKEN
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/inbox.hpp>
#include <twiliowa/log_observer.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "support/web_server.hpp"

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

std::string setting(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) wa::Error::invalid_request(name, "is not set").raise();
    return value;
}

void print(wa::LogLevel, std::string_view line) {
    std::string whole{line};
    whole += '\n';
    std::fwrite(whole.data(), 1, whole.size(), stdout);
    std::fflush(stdout);
}

/// A list in Redis that another program works through. An event is known for an hour and queued, or
/// neither.
class RedisQueue final : public wa::Inbox {
public:
    explicit RedisQueue(const std::string& url) : redis_(url, {.connections = 16}) {
        constexpr std::string_view script =
            "local bound = redis.call('GET', KEYS[1]) "
            "if bound and bound ~= KEYS[2] then return 'recut' end "
            "if not redis.call('SET', KEYS[2], '', 'EX', 3600, 'NX') then return 'duplicate' end "
            "redis.call('SET', KEYS[1], KEYS[2], 'EX', 3600) "
            "redis.call('LPUSH', KEYS[3], ARGV[1]) "
            "return 'taken'";
        const std::array<std::string_view, 3> words{"SCRIPT", "LOAD", script};
        sha_ = ask(words).value();
    }

    wa::Result<wa::InboxLook> look(const wa::EventKey&) override { return wa::InboxLook{}; }
    wa::Result<wa::InboxAnswer> take(const wa::InboxDelivery& delivery) override {
        const auto& key = delivery.key;
        const auto event = "checks:event:" + key.account_sid + ':' + key.message_sid + ':' +
                           key.kind + ':' + key.status;
        const auto signature = "checks:signature:" + key.signature;
        const std::array<std::string_view, 7> words{
            "EVALSHA", sha_, "3", signature, event, "checks:queue", delivery.body};
        const auto answer = ask(words);
        if (!answer) return answer.error();
        if (*answer == "taken") return wa::InboxAnswer::taken;
        return *answer == "recut" ? wa::InboxAnswer::recut : wa::InboxAnswer::duplicate;
    }
    bool can_reply() const noexcept override { return false; }
    bool is_running() const noexcept override { return false; }
    wa::Result<void> attach(wa::InboxHandler&) override { return {}; }
    void detach(wa::InboxHandler&) noexcept override {}

private:
    wa::Result<std::string> ask(std::span<const std::string_view> words) {
        auto reply = redis_.command(words, std::chrono::steady_clock::now() + 1s);
        if (!reply) return reply.error();
        if (reply->kind == wa::RedisReplyKind::error) return wa::store_error(reply->text, "");
        return std::move(reply->text);
    }

    wa::RedisPool redis_;
    std::string sha_ = {};
};

}  // namespace

int main(int argc, char** argv) try {
    const std::string_view way = argc == 2 ? argv[1] : "";
    if (way != "ends" && way != "keeps") {
        wa::Error::invalid_request("ends|keeps", "is missing").raise();
    }
    const bool keeps = way == "keeps";
    wa::WebhookHandler handler{
        wa::RequestValidator{setting("TWILIO_AUTH_TOKEN")},
        {.public_url = wa::PublicUrl::fixed(setting("PUBLIC_URL")),
         .inbox = std::make_shared<RedisQueue>("redis://127.0.0.1:" + setting("REDIS_PORT")),
         .observer = std::make_shared<wa::LogObserver>(print),
         .requests_per_peer = 25,
         .peer_period = 60s}};
    handler.on_message([](const wa::InboundMessage&) {});
    const auto serve = [&](httplib::Server& server) {
        wa::serve_webhooks(server, "/webhooks/twilio/whatsapp", handler);
    };
    const int port = std::stoi(setting("PORT"));
    if (!keeps) {
        support::WebServer server;
        serve(server);
        server.start(port);
        ::pause();
        return 0;
    }
    httplib::Server server;
    serve(server);
    server.new_task_queue = [] { return new httplib::ThreadPool(32); };
    server.set_keep_alive_max_count(1'000'000'000);
    server.set_tcp_nodelay(true);
    server.listen("127.0.0.1", port);
    return 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "webhook_checks: %s\n", error.what());
    return 1;
}
