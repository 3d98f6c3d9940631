// Usage: inbox_state FILE|URL. Makes an inbox whose process died: two dead letters (SM...1 and
// SM...2), a message and a status that are done (SM...3, SM...4), one message that was being
// handled (SM...5) and one that waits behind it (SM...6). Ends with 1, and says why, if that
// storage keeps no events.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_outbox.hpp>
#endif
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/twiliowa.hpp>

#include "support/form.hpp"

namespace {

namespace wa = twiliowa;

constexpr const char* url = "https://example.com/hook";
const std::string account = "AC00000000000000000000000000000001";
const std::string shop = "whatsapp:+14155238886";
const std::string ann = "whatsapp:+447700900123";
const std::string bob = "whatsapp:+447700900456";

std::shared_ptr<wa::OutboxStorage> storage_of(const std::string& name) {
#ifdef WITH_POSTGRESQL
    if (name.starts_with("postgresql:")) return std::make_shared<wa::PostgresOutbox>(name);
#endif
    return std::make_shared<wa::SqliteOutbox>(name);
}

std::string sid_of(int number) {
    return "SM0000000000000000000000000000000" + std::to_string(number);
}

class Twilio {
public:
    explicit Twilio(const wa::WebhookHandler& handler) : handler_(handler) {}

    void calls(wa::WebhookParameters parameters) const {
        wa::WebhookRequest request;
        request.target = "/hook";
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        parameters.emplace_back("AccountSid", account);
        for (const auto& [name, value] : parameters) {
            wa::test::append_form_field(request.body, name, value);
        }
        request.headers.emplace_back(
            "X-Twilio-Signature",
            validator.sign({.method = request.method,
                            .url = url,
                            .content_type = wa::find_header(request.headers, "Content-Type"),
                            .body = request.body}));
        const auto answer = handler_.handle(request);
        if (answer.status != 200) throw std::runtime_error{std::to_string(answer.status)};
    }
    void message(int number, const std::string& from, const std::string& body,
                 const std::string& name = "Ann") const {
        calls({{"MessageSid", sid_of(number)},
               {"From", from},
               {"To", shop},
               {"ProfileName", name},
               {"Body", body}});
    }

    static inline const wa::RequestValidator validator{"0123456789abcdef0123456789abcdef"};

private:
    const wa::WebhookHandler& handler_;
};

void handle(const wa::InboundMessage& message) {
    if (message.body.starts_with("fail")) throw std::runtime_error{"the shop is closed"};
    if (message.body == "die") std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) return 2;
    const auto inbox =
        std::make_shared<wa::DurableInbox>(storage_of(argv[1]), wa::InboxOptions{.max_tries = 1});
    wa::WebhookHandler handler{
        Twilio::validator,
        {.public_url = wa::PublicUrl::fixed("https://example.com"), .inbox = inbox}};
    handler.on_message(handle);
    handler.on_status([](const wa::StatusCallback&) {});
    const Twilio twilio{handler};
    twilio.message(1, ann, "fail, and call +44 7700 900456",
                   "A\x1b[31mnn \xc2\x9b"
                   "2J +447700900123");
    twilio.message(2, ann, "fail again");
    twilio.message(3, ann, "hello");
    twilio.calls(
        {{"MessageSid", sid_of(4)}, {"MessageStatus", "delivered"}, {"From", shop}, {"To", ann}});
    twilio.message(5, bob, "die");
    twilio.message(6, bob, "hello");
    inbox->run_until_idle();
    return 3;
} catch (const std::exception& error) {
    std::puts(error.what());
    return 1;
}
