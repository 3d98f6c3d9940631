#include "outbox/event_codec.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "state/number_forms.hpp"
#include "text/media_type.hpp"
#include "types/hmac.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::string_view line_purpose = "inbox line";
constexpr std::string_view inbox_customer_purpose = "inbox customer";

std::string hash_of(std::string_view text) {
    const auto hex = sha256_hex(text);
    return {hex.data(), hex.size()};
}

std::string place_of_event(const std::string& key) {
    return "inbox event " + key;
}

/// JSON is UTF-8. A form's reader takes a byte and its escape for the same.
std::string without_bytes_beyond_ascii(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string escaped;
    escaped.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            escaped += c;
        } else {
            escaped += '%';
            escaped += digits[byte >> 4];
            escaped += digits[byte & 0xf];
        }
    }
    return escaped;
}

/// Empty if it is no address: then nobody can ask for it.
std::string canonical_customer(std::string_view wire) {
    return canonical_address(Address::from_wire(wire), {}).wire();
}

bool was_taken_for_stop(const WebhookEvent& event) {
    const auto* message = std::get_if<InboundMessage>(&event);
    return message != nullptr && message->taken_for_stop;
}

Error never_read(std::string_view problem) {
    return Error::invalid_request("event", problem);
}

}  // namespace

std::string inbox_key_of(const EventKey& key) {
    const auto joined = key.account_sid + '/' + key.message_sid + '/' + key.kind + '/' + key.status;
    // What is unknown may have anything in the place of a SID.
    return key.kind == "unknown" ? "unknown/" + hash_of(joined) : joined;
}

Result<EventCodec::Names> EventCodec::names_of(const WebhookEvent& event,
                                               std::string_view kind) const {
    Names names;
    std::string line;
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        names.customer = canonical_customer(message->from);
        const auto& from = names.customer.empty() ? message->from : names.customer;
        line = message->account_sid.str() + ' ' + message->to + ' ' + from;
    } else if (const auto* callback = std::get_if<StatusCallback>(&event)) {
        names.customer = canonical_customer(callback->to);
        line = callback->account_sid.str() + ' ' + callback->sid.str();
    } else {
        return names;
    }
    line = std::string{kind} + ' ' + line;
    if (!sealer_) {
        // Only compared, and longer kept than the text: it need not show a number.
        names.line = hash_of(line);
        return names;
    }
    auto hidden_line = sealer_->blind_index(line, line_purpose);
    if (!hidden_line) return hidden_line.error();
    names.line = std::move(*hidden_line);
    if (names.customer.empty()) return names;
    auto hidden_customer = sealer_->blind_index(names.customer, inbox_customer_purpose);
    if (!hidden_customer) return hidden_customer.error();
    names.customer = std::move(*hidden_customer);
    return names;
}

Result<StoredEvent> EventCodec::encode(const InboxDelivery& delivery) const {
    StoredEvent stored;
    stored.key = inbox_key_of(delivery.key);
    stored.kind = delivery.key.kind;
    if (stored.kind != "unknown") {
        stored.account_sid = delivery.key.account_sid;
        stored.message_sid = delivery.key.message_sid;
    }
    stored.caught_up = delivery.caught_up;
    stored.arrived_at = delivery.arrived_at;
    stored.updated_at = delivery.arrived_at;
    // Statuses go before messages, however many of those wait.
    if (stored.kind == "message") stored.not_before = delivery.arrived_at;
    if (!delivery.has_handler) return stored;
    auto names = names_of(delivery.event, stored.kind);
    if (!names) return names.error();
    stored.line = std::move(names->line);
    stored.customer = std::move(names->customer);
    nlohmann::json json{{"method", std::string{delivery.method}},
                        {"target", without_bytes_beyond_ascii(delivery.target)},
                        {"body", without_bytes_beyond_ascii(delivery.body)}};
    if (was_taken_for_stop(delivery.event)) json["taken_for_stop"] = true;
    auto text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (!sealer_) {
        stored.payload = std::move(text);
        return stored;
    }
    auto sealed = sealer_->seal(text, place_of_event(stored.key));
    if (!sealed) return sealed.error();
    stored.payload = std::move(*sealed);
    return stored;
}

Result<std::string> EventCodec::open(const StoredEvent& event) const {
    if (event.payload.empty()) return never_read("was erased");
    if (!Sealer::is_sealed(event.payload)) return event.payload;
    if (sealer_) return sealer_->open(event.payload, place_of_event(event.key));
    return Error{{.kind = ErrorKind::transport,
                  .effect = Effect::none,
                  .summary = "the event is sealed, and there is no key",
                  .field = "keys",
                  .hint = "give InboxOptions::sealer the keys that it was sealed with"}};
}

Result<WebhookEvent> EventCodec::event_of(const StoredEvent& event) const {
    const auto text = open(event);
    if (!text) return text.error();
    const auto json = nlohmann::json::parse(*text, nullptr, false);
    if (!json.is_object()) return never_read("cannot be read");
    WebhookRequest request;
    try {
        request.method = json.value("method", std::string{});
        request.target = json.value("target", std::string{});
        request.body = json.value("body", std::string{});
    } catch (const nlohmann::json::exception&) {
        return never_read("cannot be read");
    }
    request.headers = {{"Content-Type", std::string{form_type}}};
    auto read = parse_webhook(request);
    if (!read) return read;
    if (auto* message = std::get_if<InboundMessage>(&*read)) {
        message->taken_for_stop = json.contains("taken_for_stop");
        message->caught_up = event.caught_up;
    }
    return read;
}

InboxEvent EventCodec::view(const StoredEvent& stored) const {
    InboxEvent event;
    event.sequence = stored.sequence;
    event.account_sid = stored.account_sid;
    event.kind = stored.kind;
    event.message_sid = stored.message_sid;
    event.state = stored.state;
    event.tries = stored.tries;
    event.problem = stored.problem;
    event.caught_up = stored.caught_up;
    event.out_of_order = stored.out_of_order;
    event.arrived_at = stored.arrived_at;
    event.updated_at = stored.updated_at;
    event.not_before = stored.not_before;
    if (auto read = event_of(stored)) event.event = std::move(*read);
    return event;
}

Result<std::optional<StoredEvent>> EventCodec::resealed(const StoredEvent& event) const {
    if (!sealer_ || event.payload.empty()) return std::optional<StoredEvent>{};
    const auto newest = sealer_->made_with_newest(event.payload);
    if (!newest) return newest.error();
    if (*newest) return std::optional<StoredEvent>{};
    const auto text = open(event);
    if (!text) return text.error();
    const auto read = event_of(event);
    if (!read) return read.error();
    auto names = names_of(*read, event.kind);
    if (!names) return names.error();
    auto sealed = sealer_->seal(*text, place_of_event(event.key));
    if (!sealed) return sealed.error();
    auto anew = event;
    anew.line = std::move(names->line);
    anew.customer = std::move(names->customer);
    anew.payload = std::move(*sealed);
    return std::optional{std::move(anew)};
}

Result<std::vector<std::string>> EventCodec::customers_of(const Address& address) const {
    const auto customer = canonical_address(address, {}).wire();
    if (!sealer_) return std::vector{customer};
    auto texts = sealer_->blind_indexes(customer, inbox_customer_purpose);
    if (texts) texts->push_back(customer);
    return texts;
}

}  // namespace twiliowa::detail
