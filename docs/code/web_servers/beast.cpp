// The code that docs/web-servers.md shows, for Boost.Beast.
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <twiliowa/webhook_handler.hpp>

namespace wa = twiliowa;

// [serve]
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

void serve(tcp::socket socket, const wa::WebhookHandler& bot) {  // in a thread of its own
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(bot.max_body_bytes());
    http::read(socket, buffer, parser);  // throws when the body is larger
    const auto& from = parser.get();

    wa::WebhookRequest request;
    request.method = std::string(from.method_string());
    request.scheme = "http";  // as this server is reached
    request.target = std::string(from.target());
    for (const auto& field : from) {
        request.headers.emplace_back(field.name_string(), field.value());
    }
    request.body = from.body();
    request.peer = socket.remote_endpoint().address().to_string();
    const wa::WebhookResponse answer = bot.handle(request);

    http::response<http::string_body> response;
    response.result(static_cast<unsigned>(answer.status));
    for (const auto& [name, value] : answer.headers) response.insert(name, value);
    response.body() = answer.body;
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response);
}
// [serve]

int main() {
    const wa::WebhookHandler bot{wa::RequestValidator{"a-token"}};
    boost::asio::io_context io;
    tcp::acceptor acceptor{io, {tcp::v4(), std::uint16_t{8080}}};
    for (;;) {
        std::thread{[socket = acceptor.accept(), &bot]() mutable {
            try {
                serve(std::move(socket), bot);
            } catch (const boost::system::system_error&) {
                // The connection broke, or was none of HTTP.
            }
        }}.detach();
    }
}
