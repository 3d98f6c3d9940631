// The code that docs/web-servers.md shows, for Drogon.
#include <functional>
#include <string>
#include <utility>

#include <drogon/drogon.h>
#include <trantor/utils/ConcurrentTaskQueue.h>

#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;

// [serve]
wa::WebhookRequest request_of(const drogon::HttpRequest& from) {
    wa::WebhookRequest request;
    request.method = from.methodString();
    request.scheme = from.isOnSecureConnection() ? "https" : "http";
    request.target = from.getOriginalPath();
    if (!from.query().empty()) request.target += "?" + from.query();
    request.headers.assign(from.headers().begin(), from.headers().end());
    request.body = std::string(from.body());
    request.peer = from.peerAddr().toIp();
    return request;
}

void serve(trantor::ConcurrentTaskQueue& workers, const wa::WebhookHandler& bot) {
    using Done = std::function<void(const drogon::HttpResponsePtr&)>;
    drogon::app().setClientMaxBodySize(bot.max_body_bytes());
    drogon::app().registerHandler(
        "/whatsapp",
        [&](const drogon::HttpRequestPtr& from, Done&& done) {
            // Not in the loop's thread: a handler may wait.
            workers.runTaskInQueue([&bot, request = request_of(*from), done = std::move(done)] {
                const auto answer = bot.handle(request);
                const auto response = drogon::HttpResponse::newHttpResponse();
                response->setStatusCode(static_cast<drogon::HttpStatusCode>(answer.status));
                for (const auto& [name, value] : answer.headers) {
                    if (name == "Content-Type") {
                        response->setContentTypeString(value);
                    } else {
                        response->addHeader(name, value);
                    }
                }
                response->setBody(answer.body);
                done(response);
            });
        },
        {drogon::Post});
}
// [serve]

int main() {
    const wa::WebhookHandler bot{wa::RequestValidator{"a-token"}};
    trantor::ConcurrentTaskQueue workers{16, "webhooks"};
    serve(workers, bot);
    drogon::app().addListener("127.0.0.1", 8080).run();
}
