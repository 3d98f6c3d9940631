// A stand-in for a help desk, in memory: as much of Chatwoot's API as the dealer uses. It keeps
// what it gets, twice too, and does for an agent what the agent says.
//
//     dealer_help_desk PORT
//
//     POST /api/v1/accounts/N/conversations                 the dealer opens one; the same again
//     for
//                                                            a source_id that has one
//     POST, GET /api/v1/accounts/N/conversations/N/messages  and gives it messages
//     GET  /messages                 all of them, one a line
//     POST /lose?count=N             the next N messages are kept, and answered 502
#include <httplib.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using nlohmann::json;

namespace {

struct Desk {
    std::mutex mutex = {};
    std::map<std::string, int> conversations = {};
    std::vector<json> messages = {};
    int to_lose = 0;
};

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    Desk desk;
    httplib::Server server;
    server.set_keep_alive_max_count(1);
    server.set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                    std::exception_ptr) { response.status = 422; });
    server.set_pre_routing_handler(
        [](const httplib::Request& request, httplib::Response& response) {
            if (request.path.rfind("/api/", 0) != 0 || request.has_header("api_access_token")) {
                return httplib::Server::HandlerResponse::Unhandled;
            }
            response.status = 401;
            return httplib::Server::HandlerResponse::Handled;
        });
    server.Post(R"(/api/v1/accounts/\d+/conversations)", [&](const httplib::Request& request,
                                                             httplib::Response& response) {
        const auto order = json::parse(request.body);
        const std::lock_guard lock{desk.mutex};
        const int next = static_cast<int>(desk.conversations.size()) + 1;
        const int id =
            desk.conversations.try_emplace(order.at("source_id").get<std::string>(), next)
                .first->second;
        response.set_content(json{{"id", id}, {"status", "pending"}}.dump(), "application/json");
    });
    const char* const messages = R"(/api/v1/accounts/\d+/conversations/(\d+)/messages)";
    server.Post(messages, [&](const httplib::Request& request, httplib::Response& response) {
        auto message = json::parse(request.body);
        const std::lock_guard lock{desk.mutex};
        message["id"] = 1000 + desk.messages.size();
        message["conversation_id"] = std::stoi(request.matches[1]);
        desk.messages.push_back(message);
        if (desk.to_lose > 0) {
            --desk.to_lose;
            response.status = 502;
            return;
        }
        response.set_content(message.dump(), "application/json");
    });
    server.Get(messages, [&](const httplib::Request& request, httplib::Response& response) {
        json found = {{"payload", json::array()}};
        const std::lock_guard lock{desk.mutex};
        for (const auto& message : desk.messages) {
            if (message["conversation_id"] == std::stoi(request.matches[1])) {
                found["payload"].push_back(message);
            }
        }
        response.set_content(found.dump(), "application/json");
    });
    server.Get("/messages", [&](const httplib::Request&, httplib::Response& response) {
        std::string lines;
        const std::lock_guard lock{desk.mutex};
        for (const auto& message : desk.messages) lines += message.dump() + '\n';
        response.set_content(lines, "text/plain");
    });
    server.Post("/lose", [&](const httplib::Request& request, httplib::Response&) {
        const std::lock_guard lock{desk.mutex};
        desk.to_lose = std::stoi(request.get_param_value("count"));
    });
    if (!server.bind_to_port("127.0.0.1", std::atoi(arguments[1]))) {
        std::cerr << "the port is taken\n";
        return 1;
    }
    std::cout << "listens" << std::endl;
    return server.listen_after_bind() ? 0 : 1;
}
