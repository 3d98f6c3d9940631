// The code that docs/web-servers.md shows, for Crow.
#include <crow.h>

#include <string>

#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;

// [serve]
void serve(crow::SimpleApp& app, const wa::WebhookHandler& bot) {
    CROW_ROUTE(app, "/whatsapp").methods(crow::HTTPMethod::Post)([&bot](const crow::request& from) {
        wa::WebhookRequest request;
        request.method = crow::method_name(from.method);
        request.scheme = "http";  // as this server is reached
        request.target = from.raw_url;
        request.headers.assign(from.headers.begin(), from.headers.end());
        request.body = from.body;
        request.peer = from.remote_ip_address;
        const wa::WebhookResponse answer = bot.handle(request);

        crow::response response(answer.status);
        for (const auto& [name, value] : answer.headers) response.add_header(name, value);
        response.body = answer.body;
        return response;
    });
}
// [serve]

int main() {
    const wa::WebhookHandler bot{wa::RequestValidator{"a-token"}};
    crow::SimpleApp app;
    serve(app, bot);
    app.port(8080).concurrency(16).run();
}
