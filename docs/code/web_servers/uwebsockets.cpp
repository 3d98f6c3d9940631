// The code that docs/web-servers.md shows, for uWebSockets.
#include <memory>
#include <string>
#include <string_view>

#include <App.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;

// [serve]
struct Call {  // lives until it is answered
    wa::WebhookRequest request = {};
    uWS::HttpResponse<false>* response = nullptr;  // gone when the caller is
};

void answer(Call& call, const wa::WebhookResponse& with) {  // in the loop's thread
    if (call.response == nullptr) return;
    call.response->cork([&] {
        call.response->writeStatus(std::to_string(with.status));
        for (const auto& [name, value] : with.headers) call.response->writeHeader(name, value);
        call.response->end(with.body);
    });
    call.response = nullptr;
}

void serve(uWS::App& app, boost::asio::thread_pool& workers, const wa::WebhookHandler& bot) {
    app.post("/whatsapp", [&](uWS::HttpResponse<false>* response, uWS::HttpRequest* from) {
        const auto call = std::make_shared<Call>();
        call->response = response;
        call->request.scheme = "http";  // as this server is reached
        call->request.target = std::string(from->getFullUrl());
        for (const auto& [name, value] : *from) call->request.headers.emplace_back(name, value);
        call->request.peer = std::string(response->getRemoteAddressAsText());
        response->onAborted([call] { call->response = nullptr; });
        response->onData([&, call, loop = uWS::Loop::get()](std::string_view part, bool is_last) {
            auto& body = call->request.body;
            if (body.size() <= bot.max_body_bytes()) body += part;  // a little more: 413
            if (!is_last) return;
            boost::asio::post(workers, [&bot, call, loop] {  // not in the loop's thread: it waits
                const auto with = bot.handle(call->request);
                loop->defer([call, with] { answer(*call, with); });
            });
        });
    });
}
// [serve]

int main() {
    const wa::WebhookHandler bot{wa::RequestValidator{"a-token"}};
    boost::asio::thread_pool workers{16};
    uWS::App app;
    serve(app, workers, bot);
    app.listen(8080, [](auto*) {}).run();
}
