// What a user writes who serves webhooks with cpp-httplib.
#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/twiliowa.hpp>

int main() {
    const twiliowa::WebhookHandler bot{twiliowa::RequestValidator{"a-token"}};
    httplib::Server server;
    twiliowa::serve_webhooks(server, "/whatsapp", bot);
    return server.is_valid() ? 0 : 1;
}
