#include "outbox/job_codec.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/store.hpp>

#include "outbox/chain.hpp"
#include "outbox/fallback_json.hpp"
#include "outbox/message_json.hpp"
#include "state/number_forms.hpp"
#include "text/ascii.hpp"
#include "text/utf8.hpp"
#include "types/hmac.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t longest_key = 200;
constexpr std::size_t longest_name = 100;
constexpr std::size_t longest_quota = 256;

/// Never asked: the client that has it only checks.
class NoTransport final : public HttpTransport {
public:
    Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
        return Error::transport(Effect::none, Stage::prepare, "this client only checks");
    }
};

MessagesClient make_checker(bool takes_fallbacks) {
    ClientOptions options;
    options.transport = std::make_shared<NoTransport>();
    // A fallback template is refused to who knows no window; this one knows of nobody. To ask it
    // costs more than the rest of a check.
    if (takes_fallbacks) {
        options.window = std::make_shared<ConversationWindow>(std::make_shared<MemoryStore>());
    }
    return MessagesClient{Credentials::auth_token("AC00000000000000000000000000000000", "none"),
                          std::move(options)};
}

std::string sha256_of(std::string_view text) {
    const auto hex = sha256_hex(text);
    return {hex.data(), hex.size()};
}

Result<void> check_name(std::string_view field, const std::string& text, std::size_t longest) {
    if (text.size() > longest) {
        return Error::invalid_request(field,
                                      "is longer than " + std::to_string(longest) + " bytes");
    }
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return Error::invalid_request(field, "holds a control character");
        }
    }
    if (!is_valid_utf8(text)) return Error::invalid_request(field, "is not UTF-8");
    return {};
}

bool is_of_zone_name(char c) noexcept {
    return is_letter_or_digit(c) || c == '_' || c == '+' || c == '-' || c == '/';
}

Result<void> check_options(const JobOptions& options) {
    const std::pair<std::string_view, const TextField*> keys[] = {
        {"key", &options.key}, {"tag", &options.tag}, {"order_key", &options.order_key}};
    for (const auto& [field, text] : keys) {
        if (auto fits = check_name(field, *text, longest_key); !fits) return fits;
    }
    const std::pair<std::string_view, const TextField*> names[] = {{"tenant", &options.tenant},
                                                                   {"account", &options.account}};
    for (const auto& [field, text] : names) {
        if (auto fits = check_name(field, *text, longest_name); !fits) return fits;
    }
    if (auto fits = check_name("quota", options.quota, longest_quota); !fits) return fits;
    if (options.time_zone.size() > longest_name ||
        !std::all_of(options.time_zone.begin(), options.time_zone.end(), is_of_zone_name)) {
        return Error::invalid_request("time_zone", "is no name of a time zone",
                                      "give one of the time zone database: Europe/Madrid");
    }
    if (options.cost <= 0 || options.cost.thousandths() > QuotaSlot::most) {
        return Error::invalid_request("cost", "is not positive, or more than can be counted");
    }
    if (options.expires_at && options.not_before && *options.expires_at <= *options.not_before) {
        return Error::invalid_request("expires_at", "is not after not_before");
    }
    return options.on_unknown ? check_policy(*options.on_unknown) : Result<void>{};
}

std::string customer_text(std::string_view to) {
    const auto parsed = Address::parse(to);
    return parsed ? canonical_address(*parsed, {}).wire() : std::string{to};
}

constexpr std::string_view key_purpose = "outbox key";
constexpr std::string_view order_purpose = "outbox order key";
constexpr std::string_view customer_purpose = "outbox customer";
constexpr std::string_view content_purpose = "outbox content";

/// Two names in one text, in a way that no other two share.
std::string in_tenant(std::string_view tenant, std::string_view name) {
    return std::to_string(tenant.size()) + ':' + std::string{tenant} + std::string{name};
}

std::string place_of(const JobId& id) {
    return "outbox job " + id.str();
}

std::string place_of_row(const StoredJob& row) {
    return "outbox row " + in_tenant(row.tenant, row.key);
}

/// What another program has sealed by itself.
std::optional<std::string> sealed_in_row(const StoredJob& row) {
    if (!row.content_hash.empty()) return std::nullopt;
    const auto all = nlohmann::json::parse(row.payload, nullptr, false);
    const auto sealed = all.is_object() && all.size() == 1 ? all.find("sealed") : all.end();
    if (sealed == all.end() || !sealed->is_string()) return std::nullopt;
    return sealed->get<std::string>();
}

/// A member's text; empty if it has none.
std::string text_in(const nlohmann::json& all, const char* member) {
    const auto found = all.find(member);
    return found != all.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// The message's JSON in what was sealed with it; empty if there is none.
std::string message_in(const nlohmann::json& all) {
    const auto message = all.find("message");
    if (message == all.end()) return {};
    if (message->is_string()) return message->get<std::string>();
    return message->is_object() ? message->dump() : std::string{};
}

/// How a payload begins that holds more than a message, which has no member of that name.
constexpr std::string_view with_more = R"({"message":)";

bool is_one_of(const std::vector<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

Result<void> check_policy(const OnUnknown& policy) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365 * 10};
    const auto wrong = [](std::string_view problem) {
        return Error::invalid_request("on_unknown", problem);
    };
    if (policy.after() < std::chrono::milliseconds{} || policy.after() > longest) {
        return wrong("has a time that is not between 0 and 10 years");
    }
    if (policy.min_looks() < 0) return wrong("has a negative number of looks");
    if (policy.kind() == OnUnknown::Kind::resend_now && policy.max_attempts() < 1) {
        return wrong("has no attempt");
    }
    return {};
}

Result<void> check_in_time(const JobOptions& options, TimePoint now) {
    if (!options.expires_at || *options.expires_at > now) return {};
    return Error::invalid_request("expires_at", "has passed", "give a time that is to come");
}

Result<void> check_resolution(const Resolution& resolution) {
    if (auto fits = check_name("by", resolution.person(), longest_name); !fits) return fits;
    return check_name("why", resolution.why(), longest_key);
}

JobCodec::JobCodec(OnUnknown on_unknown, std::optional<Sealer> sealer)
    : on_unknown_(on_unknown),
      sealer_(std::move(sealer)),
      checker_(make_checker(false)),
      fallback_checker_(make_checker(true)) {}

Result<std::string> JobCodec::hidden(std::string_view value, std::string_view purpose) const {
    if (!sealer_ || value.empty()) return std::string{value};
    return sealer_->blind_index(value, purpose);
}

Result<std::vector<std::string>> JobCodec::all_hidden(std::string_view value,
                                                      std::string_view purpose) const {
    if (!sealer_ || value.empty()) return std::vector{std::string{value}};
    auto texts = sealer_->blind_indexes(value, purpose);
    // What was kept before there were keys.
    if (texts) texts->emplace_back(value);
    return texts;
}

Result<std::vector<std::string>> JobCodec::keys_of(std::string_view tenant,
                                                   std::string_view key) const {
    if (!sealer_) return std::vector{std::string{key}};
    auto texts = all_hidden(in_tenant(tenant, key), key_purpose);
    if (texts) texts->back() = key;
    return texts;
}

Result<std::vector<std::string>> JobCodec::customers_of(const Address& address) const {
    return all_hidden(canonical_address(address, {}).wire(), customer_purpose);
}

Result<bool> JobCodec::is_same_content(const StoredJob& job,
                                       const std::string& content_hash) const {
    if (job.content_hash == content_hash) return true;
    if (!sealer_) return false;
    const auto content = read(job);
    if (!content) return content.error();
    const auto hashes = content_hashes(*content);
    if (!hashes) return hashes.error();
    return is_one_of(*hashes, content_hash);
}

Result<std::vector<std::string>> JobCodec::content_hashes(const Content& content) const {
    auto json = write_message_json(content.message);
    if (!json) return json.error();
    const auto fallbacks = write_fallbacks_json(content.fallbacks);
    if (!fallbacks) return fallbacks.error();
    const bool is_chain = !content.fallbacks.empty();
    auto hashes = all_hidden(sha256_of(is_chain ? *json + *fallbacks : *json), content_purpose);
    if (!hashes || !is_chain) return hashes;
    for (auto& hash : *hashes) hash.insert(0, chained_content);
    return hashes;
}

Result<std::optional<bool>> JobCodec::is_for(const StoredJob& job, const Address& address) const {
    // Forgotten, or told by a user id: nothing to compare.
    if (job.customer.empty() || address.phone_number().empty()) return std::optional<bool>{};
    if (const auto content = read(job)) {
        const auto mine = Address::parse(content->message.to);
        if (mine && mine->phone_number().empty()) return std::optional<bool>{};
    }
    // Twilio may reach a number on another channel, and write it in the other of its ways.
    constexpr NumberForms both_ways{.brazil_ninth_digit = true, .argentina_nine = true};
    for (const auto& number : number_forms(address.phone_number(), both_ways)) {
        for (const std::string_view channel : {"whatsapp:", "sms:"}) {
            const auto form = Address::parse(std::string{channel} + number);
            if (!form) continue;
            const auto customers = customers_of(*form);
            if (!customers) return customers.error();
            if (is_one_of(*customers, job.customer)) return std::optional{true};
        }
    }
    return std::optional{false};
}

Result<void> JobCodec::check(const OutboundMessage& message) const {
    if (message.send_at || !message.schedule_type.empty()) {
        return Error::invalid_request("send_at", "is Twilio's own schedule",
                                      "give JobOptions::not_before, which can be cancelled");
    }
    const bool has_fallback = !message.fallback_content_sid.empty();
    return has_fallback ? fallback_checker_.check(message) : checker_.check(message);
}

Result<void> JobCodec::check_callback(const std::string& url) const {
    OutboundMessage message;
    message.to = "+447700900123";
    message.from = "+447700900124";
    message.body = "any";
    message.status_callback = url;
    const auto fits = checker_.check(message);
    if (fits) return {};
    return fits.error().with([](ErrorData& data) { data.field = "status_callback"; });
}

/// Each with its sender, and checked as its send will be.
Result<std::vector<Fallback>> JobCodec::whole_fallbacks(const OutboundMessage& message,
                                                        const JobOptions& options) const {
    auto fallbacks = options.fallbacks;
    for (auto& fallback : fallbacks) {
        auto& own = fallback.message;
        if (!own.from.empty() || !own.messaging_service_sid.empty()) continue;
        // SMS is not sent by whatever serves WhatsApp: who wants that says so.
        if (fallback.when == FallbackWhen::unreachable) continue;
        own.from = message.from;
        own.messaging_service_sid = message.messaging_service_sid;
    }
    if (auto fit = check_fallbacks(fallbacks, options.key); !fit) return fit.error();
    for (std::size_t i = 0; i < fallbacks.size(); ++i) {
        auto whole = message_of_step(fallbacks[i], message);
        if (!whole) {
            whole = fallbacks[i].message;
            whole->to = "sms:+447700900123";
        }
        auto fits = check(*whole);
        if (fits) continue;
        return fits.error().with([&](ErrorData& data) {
            data.field = fallback_field(i, "message." + member_of_send(data.field));
        });
    }
    return fallbacks;
}

Result<StoredJob> JobCodec::encode(OutboundMessage message, const JobOptions& options,
                                   const JobDefaults& defaults, const JobId& id,
                                   TimePoint now) const {
    if (auto fits = check_options(options); !fits) return fits.error();
    // What it is sent as is decided here: pauses, limits and looks go by it.
    if (message.from.empty() && message.messaging_service_sid.empty()) {
        message.from = defaults.from;
        message.messaging_service_sid = defaults.messaging_service_sid;
    }
    if (auto fits = check(message); !fits) return fits.error();
    auto json = write_message_json(message);
    if (!json) return json.error();
    std::string fallbacks_json;
    if (!options.fallbacks.empty()) {
        const auto fallbacks = whole_fallbacks(message, options);
        if (!fallbacks) return fallbacks.error();
        auto written = write_fallbacks_json(*fallbacks);
        if (!written) return written.error();
        fallbacks_json = std::move(*written);
    }
    if (json->size() + fallbacks_json.size() > longest_message) {
        return Error::invalid_request("message", "is longer than 256 KiB as JSON");
    }
    StoredJob stored;
    stored.id = id;
    stored.tenant = options.tenant;
    stored.key = id.str();
    if (!options.key.empty()) {
        const auto key = keys_of(options.tenant, options.key);
        if (!key) return key.error();
        stored.key = key->front();
    }
    auto hash =
        hidden(sha256_of(fallbacks_json.empty() ? *json : *json + fallbacks_json), content_purpose);
    if (!hash) return hash.error();
    stored.content_hash = std::move(*hash);
    if (!fallbacks_json.empty()) stored.content_hash.insert(0, chained_content);
    auto payload = write_payload(std::move(*json), fallbacks_json, id, options);
    if (!payload) return payload.error();
    stored.payload = std::move(*payload);
    stored.tag = options.tag;
    stored.account = options.account;
    const std::string& from = message.from.empty() ? message.messaging_service_sid : message.from;
    const auto sender = Sender::parse(from);
    if (!sender) return sender.error();
    stored.sender = sender->wire();
    auto customer = hidden(customer_text(message.to), customer_purpose);
    if (!customer) return customer.error();
    stored.customer = std::move(*customer);
    if (!options.order_key.empty()) {
        auto order = sealer_ ? hidden(in_tenant(options.tenant, options.order_key), order_purpose)
                             : Result<std::string>{std::string{options.order_key}};
        if (!order) return order.error();
        stored.order_key = std::move(*order);
    }
    stored.lane = options.lane;
    stored.on_unknown = options.on_unknown.value_or(on_unknown_);
    stored.expires_at = options.expires_at;
    stored.created_at = now;
    stored.updated_at = now;
    stored.not_before = options.not_before.value_or(now);
    stored.quota = options.quota;
    if (!stored.quota.empty()) stored.cost = options.cost.thousandths();
    return stored;
}

Result<StoredJob> JobCodec::complete(const StoredJob& row, const JobDefaults& defaults) const {
    auto content = read(row);
    if (!content) return content.error();
    const JobOptions options{
        .key = content->key,
        .tenant = row.tenant,
        .tag = row.tag,
        .account = row.account,
        .not_before = row.not_before,
        .expires_at = row.expires_at,
        .lane = row.lane,
        .order_key = content->order_key,
        .on_unknown = row.on_unknown,
        .quota = row.quota,
        .cost = row.quota.empty() ? QuotaAmount{1} : QuotaAmount::thousandths(row.cost),
        .time_zone = content->time_zone,
        .fallbacks = std::move(content->fallbacks)};
    if (auto in_time = check_in_time(options, row.created_at); !in_time) return in_time.error();
    auto made = encode(std::move(content->message), options, defaults, row.id, row.created_at);
    if (!made) return made.error();
    auto whole = row;
    whole.key = std::move(made->key);
    whole.content_hash = std::move(made->content_hash);
    whole.payload = std::move(made->payload);
    whole.sender = std::move(made->sender);
    whole.customer = std::move(made->customer);
    whole.order_key = std::move(made->order_key);
    return whole;
}

/// The message's JSON, and what else is said of it; sealed, together with what is hidden elsewhere.
Result<std::string> JobCodec::write_payload(std::string json, std::string_view fallbacks,
                                            const JobId& id, const JobOptions& options) const {
    if (!options.time_zone.empty() || !fallbacks.empty()) {
        json.insert(0, with_more);
        if (!fallbacks.empty()) json.append(R"(,"fallbacks":)").append(fallbacks);
        if (!options.time_zone.empty()) {
            json += R"(,"time_zone":)" + nlohmann::json(std::string{options.time_zone}).dump();
        }
        json += '}';
    }
    if (!sealer_) return json;
    const nlohmann::json all{{"key", std::string{options.key}},
                             {"order_key", std::string{options.order_key}},
                             {"message", json}};
    return sealer_->seal(all.dump(), place_of(id));
}

Result<JobCodec::Content> JobCodec::read(const StoredJob& job) const {
    if (job.payload.empty()) {
        return Error::invalid_request("message", "was erased", "hand the message over anew");
    }
    Content content{.key = job.key, .order_key = job.order_key};
    std::string opened_text;
    std::string_view text = job.payload;
    const auto by_other = sealed_in_row(job);
    if (by_other && !Sealer::is_sealed(*by_other)) {
        return Error::invalid_request("sealed", "is no sealed text");
    }
    if (by_other || Sealer::is_sealed(job.payload)) {
        if (!sealer_) {
            return Error{{.kind = ErrorKind::transport,
                          .effect = Effect::none,
                          .summary = "the message is sealed, and there is no key",
                          .field = "keys",
                          .hint = "give OutboxOptions::sealer the keys that it was sealed with"}};
        }
        const auto opened = by_other ? sealer_->open(*by_other, place_of_row(job))
                                     : sealer_->open(job.payload, place_of(job.id));
        if (!opened) return opened.error();
        const auto all = nlohmann::json::parse(*opened, nullptr, false);
        if (all.is_object()) opened_text = message_in(all);
        if (opened_text.empty()) {
            return Error::invalid_request("message", "is sealed and yet cannot be read");
        }
        content.key = text_in(all, "key");
        // Put in once more it would be another job.
        if (content.key.empty() && by_other) {
            return Error::invalid_request("key", "is not in what is sealed");
        }
        if (content.key.empty()) content.key = job.id.str();
        content.order_key = text_in(all, "order_key");
        text = opened_text;
    }
    std::string inner;
    if (text.starts_with(with_more)) {
        const auto all = nlohmann::json::parse(text, nullptr, false);
        if (!all.is_object()) return Error::invalid_request("message", "cannot be read");
        const auto zone = all.find("time_zone");
        if (zone != all.end() && zone->is_string()) content.time_zone = zone->get<std::string>();
        if (const auto given = all.find("fallbacks"); given != all.end()) {
            auto fallbacks = read_fallbacks_json(given->dump());
            if (!fallbacks) return fallbacks.error();
            content.fallbacks = std::move(*fallbacks);
        }
        inner = all["message"].dump();
        text = inner;
    }
    auto message = read_message_json(text);
    if (!message) return message.error();
    content.message = std::move(*message);
    return content;
}

bool JobCodec::is_sealed(const StoredJob& row) {
    return Sealer::is_sealed(row.payload) || sealed_in_row(row).has_value();
}

Result<bool> JobCodec::is_sealed_as_now(const StoredJob& job) const {
    if (!sealer_ || job.payload.empty()) return true;
    return sealer_->made_with_newest(job.payload);
}

Result<OutboundMessage> JobCodec::message_of(const StoredJob& job) const {
    return read(job).transform([](Content&& content) { return std::move(content.message); });
}

Job JobCodec::view(const StoredJob& stored) const {
    Job job;
    if (auto content = read(stored)) {
        job.key = std::move(content->key);
        job.order_key = std::move(content->order_key);
        job.message = std::move(content->message);
        job.time_zone = std::move(content->time_zone);
        job.fallbacks = std::move(content->fallbacks);
    } else {
        job.key = stored.key;
        job.order_key = stored.order_key;
    }
    job.id = stored.id;
    job.tenant = stored.tenant;
    job.tag = stored.tag;
    job.account = stored.account;
    job.state = stored.state;
    job.reason = stored.reason;
    job.problem = stored.problem;
    job.error_code = stored.error_code;
    job.sid = MessageSid::from_wire(stored.sid);
    job.evidence = stored.evidence;
    job.status = MessageStatus{stored.status};
    job.price = stored.price;
    job.price_unit = stored.price_unit;
    for (const auto& each : stored.attempts) {
        JobAttempt attempt;
        attempt.number = each.number;
        attempt.state = each.state;
        attempt.started_at = each.started_at;
        attempt.account_sid = each.account_sid;
        attempt.sid = MessageSid::from_wire(each.sid);
        attempt.evidence = each.evidence;
        attempt.http_status = each.http_status;
        attempt.error_code = each.error_code;
        attempt.problem = each.problem;
        attempt.may_duplicate = each.may_duplicate;
        job.attempts.push_back(std::move(attempt));
    }
    for (const auto& sid : stored.doubles) job.doubles.push_back(MessageSid::from_wire(sid));
    for (const auto& sid : stored.candidates) job.candidates.push_back(MessageSid::from_wire(sid));
    job.decision = stored.decision;
    job.suspect = stored.suspect_since.has_value();
    job.cancel_requested = stored.cancel_requested;
    job.lane = stored.lane;
    job.on_unknown = stored.on_unknown;
    job.quota = stored.quota;
    job.cost = QuotaAmount::thousandths(stored.cost);
    job.campaign = stored.campaign;
    job.variant = stored.variant;
    job.step = stored.step;
    job.spend = stored.spend;
    job.created_at = stored.created_at;
    job.updated_at = stored.updated_at;
    if (stored.not_before > stored.created_at) job.not_before = stored.not_before;
    job.expires_at = stored.expires_at;
    job.next_look = stored.next_look;
    job.sequence = stored.sequence;
    return job;
}

}  // namespace twiliowa::detail
