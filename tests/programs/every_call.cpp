// Makes every call of MessagesClient and AccountClient once, with the argument "senders" those of
// SendersClient, against what the environment points at, and fails if one does not end as it
// should. Run through a proxy that checks both sides against Twilio's document.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

const std::string to = "+447700900123";
const std::string content_sid = "HX00000000000000000000000000000001";
const std::string service_sid = "MG00000000000000000000000000000001";

void expect(bool fact, const char* what) {
    if (fact) return;
    std::fprintf(stderr, "every_call: %s\n", what);
    std::exit(1);
}

wa::OutboundMessage message_with_every_parameter() {
    wa::OutboundMessage message;
    message.to = to;
    message.messaging_service_sid = service_sid;
    message.body = "Every parameter";
    message.media_url = {"https://example.com/a.png"};
    message.status_callback = "https://example.com/status";
    message.application_sid = "AP0123456789abcdef0123456789abcdef";
    message.send_at = std::chrono::system_clock::now() + 1h;
    message.validity_period = 600;
    message.attempt = 1;
    message.max_price = 0.5;
    message.provide_feedback = true;
    message.force_delivery = false;
    message.smart_encoded = false;
    message.shorten_urls = false;
    message.send_as_mms = false;
    message.content_retention = "retain";
    message.address_retention = "retain";
    message.traffic_type = "free";
    message.risk_check = "disable";
    message.message_intent = wa::MessageIntent{wa::MessageIntent::notifications};
    return message;
}

void make_every_call(const wa::MessagesClient& client) {
    const auto sent = client.send_template(
        {.to = to, .content_sid = content_sid, .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    expect(sent.body == "Hi Lee, your order A-1042 is on its way", "the template is not rendered");
    const auto text = client.send_text({.to = to, .body = "Text"});
    const auto media =
        client.send_media({.to = to, .media_url = "https://example.com/cat.png", .body = "A cat"});
    client.send_location({.to = to, .latitude = 51.5, .longitude = -0.1246, .name = "Office"});

    expect(client.fetch(text.sid).body == "Text", "the text is not fetched");
    int listed = 0;
    for (const auto& message : client.list({.to = to, .page_size = 2})) {
        expect(!message.sid.empty(), "a listed message has no SID");
        ++listed;
    }
    expect(listed == 4, "the list does not have what was sent");
    client.list_page({.sent_on = std::chrono::system_clock::now()});
    client.list_page({.sent_before = std::chrono::system_clock::now() + 24h,
                      .sent_after = std::chrono::system_clock::now() - 24h});
    expect(client.reconcile(wa::OutboundText{.to = to, .body = "Text"},
                            std::chrono::system_clock::now())
                   .outcome == wa::Reconciliation::Outcome::found,
           "the text is not found again");
    std::vector<wa::ReconcileItem> items(2);
    items[0].message = wa::OutboundText{.to = to, .body = "Text"};
    items[1].message = wa::OutboundText{.to = "+447700900199", .body = "Text"};
    for (auto& item : items) item.attempted_at = std::chrono::system_clock::now();
    expect(client.reconcile_all(items).at(0).value().outcome == wa::Reconciliation::Outcome::found,
           "the text is not found among others");

    const auto attachments = client.list_media(media.sid);
    expect(attachments.size() == 1, "the picture is not listed");
    client.remove_media(media.sid, attachments.front().sid);
    client.feedback(text.sid);
    expect(client.redact(text.sid).body.empty(), "the text is not erased");
    client.remove(text.sid);

    const auto scheduled = client.send(message_with_every_parameter());
    expect(scheduled.status == wa::MessageStatus::scheduled, "it is not scheduled");
    expect(client.cancel(scheduled.sid).status == wa::MessageStatus::canceled, "not cancelled");
}

void read_account(const wa::AccountClient& client) {
    expect(client.fetch().status == wa::AccountStatus::active, "the account is not active");
    expect(client.balance().balance == "100.00", "the balance is another");
}

void read_senders(const wa::SendersClient& client) {
    const auto senders = client.list();
    expect(!senders.empty(), "there is no sender");
    expect(client.fetch(senders.front().sid).status == senders.front().status,
           "a sender is listed otherwise than it is fetched");
}

}  // namespace

int main(int argc, char** argv) try {
    const auto credentials = wa::Credentials::from_environment();
    const auto options = wa::ClientOptions::from_environment();
    if (argc > 1 && argv[1] == std::string_view{"senders"}) {
        read_senders(wa::SendersClient{credentials, options});
    } else {
        make_every_call(wa::MessagesClient{credentials, options});
        read_account(wa::AccountClient{credentials, options});
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "every_call: %s\n", error.what());
    return 1;
}
