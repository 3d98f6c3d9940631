#include "control.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <initializer_list>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/error.hpp>

#include "text/base64.hpp"

namespace emulator {

namespace {

using nlohmann::json;
using twiliowa::testing::FakeBubble;
using twiliowa::testing::FakeTwilio;

constexpr std::size_t shown_messages = 200;  // of a conversation
constexpr std::size_t shown_conversations = 100;
constexpr std::size_t shown_text = 64 * 1024;  // of a body or an answer in the log
constexpr std::size_t shown_next_faults = 20;
constexpr std::size_t most_faults = 100'000;  // ordered for the next requests

std::string iso_time(twiliowa::TimePoint time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

json buttons_json(const std::vector<twiliowa::testing::FakeButton>& from) {
    json buttons = json::array();
    for (const auto& button : from) {
        buttons.push_back({{"type", button.type},
                           {"title", button.title},
                           {"id", button.id},
                           {"value", button.value}});
    }
    return buttons;
}

json bubble_json(const FakeBubble& bubble) {
    json items = json::array();
    for (const auto& item : bubble.items) {
        items.push_back(
            {{"id", item.id}, {"title", item.title}, {"description", item.description}});
    }
    json cards = json::array();
    for (const auto& card : bubble.cards) {
        cards.push_back({{"title", card.title},
                         {"body", card.body},
                         {"media", card.media},
                         {"buttons", buttons_json(card.buttons)}});
    }
    json locations = json::array();
    for (const auto& place : bubble.locations) {
        locations.push_back({{"latitude", place.latitude},
                             {"longitude", place.longitude},
                             {"label", place.label},
                             {"address", place.address}});
    }
    return {{"type", bubble.type},    {"header", bubble.header},
            {"body", bubble.body},    {"footer", bubble.footer},
            {"media", bubble.media},  {"buttons", buttons_json(bubble.buttons)},
            {"items", items},         {"list_button", bubble.list_button},
            {"locations", locations}, {"cards", cards}};
}

bool is_inbound(const twiliowa::Message& message) {
    return message.direction == twiliowa::Direction::inbound;
}

json message_json(const FakeTwilio& fake, const twiliowa::Message& message) {
    return {{"sid", message.sid.str()},
            {"inbound", is_inbound(message)},
            {"status", message.status.str()},
            {"error_code", message.error_code ? json(*message.error_code) : json()},
            {"when", message.date_created ? iso_time(*message.date_created) : ""},
            {"bubble", bubble_json(fake.bubble(message.sid.str()))}};
}

std::string fault_name(twiliowa::testing::Fault fault) {
    for (const auto& [name, known] : twiliowa::testing::fault_names) {
        if (known == fault) return std::string{name};
    }
    return {};
}

twiliowa::testing::Fault fault_of(const std::string& name) {
    for (const auto& [known, fault] : twiliowa::testing::fault_names) {
        if (known == name) return fault;
    }
    throw std::invalid_argument("there is no fault " + name);
}

json request_json(const twiliowa::testing::FakeRequestRecord& record) {
    return {{"number", record.number},
            {"when", iso_time(record.when)},
            {"method", std::string{to_string(record.method)}},
            {"url", record.url},
            {"body", record.body},
            {"credentials", record.credentials},
            {"status", record.status},
            {"code", record.code},
            {"response", record.response.substr(0, shown_text)},
            {"fault", fault_name(record.fault)}};
}

/// With the verdict of whoever checks the signature for the URL as it was called.
json webhook_json(const twiliowa::testing::FakeWebhookRecord& record,
                  const twiliowa::RequestValidator& validator) {
    const auto& webhook = record.webhook;
    const auto& headers = webhook.request.headers;
    const auto signature = twiliowa::find_header(headers, "X-Twilio-Signature");
    const auto verdict =
        validator.check({.method = webhook.request.method,
                         .url = webhook.url,
                         .content_type = twiliowa::find_header(headers, "Content-Type"),
                         .body = webhook.request.body,
                         .signature = signature});
    return {{"number", webhook.number},
            {"when", iso_time(record.when)},
            {"kind", webhook.kind},
            {"url", webhook.url},
            {"body", webhook.request.body.substr(0, shown_text)},
            {"signature", std::string{signature}},
            {"verdict", std::string{to_string(verdict.reason)}},
            {"hint", std::string{verdict.hint}},
            {"message_sid", webhook.message_sid},
            {"attempt", webhook.attempt},
            {"status", record.status},
            {"response", record.response.substr(0, shown_text)},
            {"outcome", record.outcome},
            {"error_code", record.error_code}};
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return {};
    if (!found->is_string()) throw std::invalid_argument(std::string{name} + " is not text");
    return found->get<std::string>();
}

double number_of(const json& object, const char* name, double otherwise = 0.0) {
    const auto found = object.find(name);
    if (found == object.end()) return otherwise;
    if (!found->is_number()) throw std::invalid_argument(std::string{name} + " is not a number");
    return found->get<double>();
}

bool flag_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return true;
    if (!found->is_boolean()) throw std::invalid_argument(std::string{name} + " is not a flag");
    return found->get<bool>();
}

/// A share of what happens.
double share_of(const json& object, const char* name, double otherwise = 0.0) {
    const double share = number_of(object, name, otherwise);
    if (!(share >= 0 && share <= 1)) {
        throw std::invalid_argument(std::string{name} + " is not from 0 to 1");
    }
    return share;
}

/// Text too, as JavaScript has no integers of 64 bits.
std::uint64_t seed_of(const json& seed) {
    if (seed.is_number_unsigned()) return seed.get<std::uint64_t>();
    const auto text = seed.is_string() ? seed.get<std::string>() : std::string{};
    std::uint64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
        throw std::invalid_argument("seed is not a number from 0");
    }
    return number;
}

/// A type and a subtype, as may stand in a header.
std::string content_type_of(const json& object) {
    auto type = text_of(object, "content_type");
    const bool printable =
        std::all_of(type.begin(), type.end(), [](char c) { return c >= ' ' && c <= '~'; });
    const auto slash = type.find('/');
    if (!printable || slash == 0 || slash == std::string::npos || slash + 1 == type.size()) {
        throw std::invalid_argument("content_type is not like image/png");
    }
    return type;
}

/// A whole number up to `most`.
int count_of(const json& object, const char* name, int least, int most) {
    const double count = number_of(object, name);
    if (!(count >= least && count <= most && count == std::floor(count))) {
        throw std::invalid_argument(std::string{name} + " is not a whole number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<int>(count);
}

/// Nothing where it stands as null.
std::optional<int> limit_of(const json& object, const char* name) {
    if (object.value(name, json()).is_null()) return std::nullopt;
    return count_of(object, name, 0, 1'000'000);
}

/// Texts by name.
std::vector<std::pair<std::string, std::string>> parameters_of(const json& object) {
    std::vector<std::pair<std::string, std::string>> parameters;
    const auto found = object.find("parameters");
    if (found == object.end()) return parameters;
    if (!found->is_object()) throw std::invalid_argument("parameters is not an object");
    for (const auto& [name, value] : found->items()) {
        if (!value.is_string()) throw std::invalid_argument("parameters: " + name + " is not text");
        parameters.emplace_back(name, value.get<std::string>());
    }
    return parameters;
}

void require_known(const json& order, std::initializer_list<const char*> known) {
    for (const auto& [name, value] : order.items()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw std::invalid_argument("there is no " + name);
        }
    }
}

void require_address(const char* name, const std::string& url) {
    if (url.empty() || is_web_address(url)) return;
    throw std::invalid_argument(std::string{name} +
                                " does not begin with http:// or https:// and a host");
}

std::string bytes_of(const json& object) {
    auto bytes = twiliowa::detail::decode_base64(text_of(object, "base64"));
    if (!bytes) throw std::invalid_argument("base64 is not base64");
    return std::move(*bytes);
}

/// What a customer writes, with the parameters that the order gives it.
twiliowa::testing::FakeInbound inbound_of(const twiliowa::testing::FakeCustomer& customer,
                                          const json& order) {
    twiliowa::testing::FakeInbound message;
    message.from = customer.address();
    message.to = customer.sender();
    message.body = text_of(order, "text");
    message.parameters = parameters_of(order);
    return message;
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Does what the customer does; returns the SID of the message, if it is one.
std::string act(FakeTwilio& fake, const std::vector<std::string>& senders, const json& order) {
    const auto sender = text_of(order, "sender");
    const auto customer =
        fake.customer(text_of(order, "customer"), sender.empty() ? senders.front() : sender);
    if (text_of(order, "customer").empty()) throw std::invalid_argument("customer is empty");
    if (!holds(senders, customer.sender())) {
        throw std::invalid_argument("sender is none of the account's");
    }
    const auto action = text_of(order, "action");
    const auto text = [&](const char* name) { return text_of(order, name); };
    if (action == "text" || action == "reply" || action == "media") {
        auto message = inbound_of(customer, order);
        if (action == "reply") message.reply_to = text("sid");
        if (action == "media") {
            message.media = bytes_of(order);
            message.media_type = content_type_of(order);
        }
        return fake.receive(std::move(message));
    }
    if (order.contains("parameters")) {
        throw std::invalid_argument("parameters go with text, reply and media");
    }
    if (action == "location") {
        return customer.sends_location(number_of(order, "latitude"), number_of(order, "longitude"),
                                       text("label"), text("address"));
    }
    if (action == "tap") return customer.taps(text("button"));
    if (action == "choose") return customer.chooses(text("item"));
    if (action == "flow") return customer.answers_flow(text("json"));
    if (action == "stop") return customer.stops();
    if (action == "start") return customer.starts_again();
    if (action == "join") return customer.joins(text("code"));
    if (action == "read") {
        customer.reads();
    } else if (action == "read_at_once") {
        customer.reads_at_once(flag_of(order, "on"));
    } else if (action == "block") {
        customer.blocks(flag_of(order, "on"));
    } else if (action == "whatsapp") {
        constexpr int usual = 63024;
        const int code =
            order.contains("error_code") ? count_of(order, "error_code", 30'001, 63'999) : usual;
        customer.has_whatsapp(flag_of(order, "on"), code);
    } else if (action == "name") {
        customer.named(text("text"));
    } else {
        throw std::invalid_argument("there is no action " + action);
    }
    return {};
}

ControlAnswer refusal(const std::string& message) {
    return {400, json{{"message", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

Control::Control(std::shared_ptr<FakeTwilio> fake, std::shared_ptr<ScaledClock> clock,
                 Runner& runner, Account account, std::uint64_t fault_seed)
    : fake_(std::move(fake)),
      clock_(std::move(clock)),
      runner_(&runner),
      account_(std::move(account)),
      fault_seed_(fault_seed) {}

std::optional<twiliowa::testing::FakeFile> Control::file(std::string_view message_sid,
                                                         std::string_view media_sid) const {
    return fake_->file(message_sid, media_sid);
}

std::vector<std::string> Control::accounts() const {
    auto all = fake_->subaccounts(account_.sid);
    all.insert(all.begin(), account_.sid);
    return all;
}

std::vector<std::string> Control::senders() const {
    std::vector<std::string> all;
    for (const auto& account : accounts()) {
        for (auto& sender : fake_->senders(account)) all.push_back(std::move(sender));
    }
    std::stable_partition(all.begin(), all.end(),
                          [this](const auto& sender) { return sender == account_.sender; });
    return all;
}

std::string Control::state(std::uint64_t requests_after, std::uint64_t webhooks_after) const {
    json answer;
    answer["revision"] = revision();
    answer["now"] = iso_time(clock_->now());
    answer["account_sid"] = account_.sid;
    const auto accounts = this->accounts();
    const auto senders = this->senders();
    answer["subaccounts"] = json::array();
    for (std::size_t i = 1; i < accounts.size(); ++i) answer["subaccounts"].push_back(accounts[i]);
    answer["senders"] = senders;
    add_conversations(answer);
    auto& requests = answer["requests"] = json::array();
    for (const auto& record : fake_->requests(requests_after)) {
        requests.push_back(request_json(record));
    }
    const twiliowa::RequestValidator validator{[&](const twiliowa::KeyQuery& query) {
        const bool known = holds(accounts, std::string{query.account_sid});
        const auto login = fake_->credentials(known ? query.account_sid : account_.sid);
        return std::vector{twiliowa::SigningKey{login.password()}};
    }};
    auto& webhooks = answer["webhooks"] = json::array();
    for (const auto& record : fake_->webhooks()) {
        if (record.webhook.number > webhooks_after || record.outcome == "pending") {
            webhooks.push_back(webhook_json(record, validator));
        }
    }
    auto& urls = answer["webhook_urls"] = json::object();
    for (const auto& account : accounts) urls[account] = fake_->webhook(account);
    for (const auto& sender : senders) urls[sender] = fake_->webhook(sender);
    add_faults(answer);
    return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Adds the conversations to `answer`, each with the newest of its messages.
void Control::add_conversations(json& answer) const {
    using Key = std::pair<std::string, std::string>;  // customer and sender
    // Newest first, as listed; a conversation is as new as its newest message.
    std::vector<Key> order;
    std::map<Key, std::vector<twiliowa::Message>> messages_of;
    std::vector<twiliowa::Message> all;
    for (const auto& account : accounts()) {
        auto more = fake_->messages(account);
        const auto middle = static_cast<std::ptrdiff_t>(all.size());
        all.insert(all.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
        std::inplace_merge(
            all.begin(), all.begin() + middle, all.end(),
            [](const auto& a, const auto& b) { return a.date_created > b.date_created; });
    }
    for (auto& message : all) {
        const bool inbound = is_inbound(message);
        auto ours = inbound ? message.to : message.from;
        // A messaging service chooses among its senders when it sends; the one there is has this.
        if (ours.empty()) ours = FakeTwilio::demo_sender;
        const Key key{inbound ? message.from : message.to, std::move(ours)};
        auto& messages = messages_of[key];
        if (messages.empty()) order.push_back(key);
        if (messages.size() < shown_messages) messages.push_back(std::move(message));
    }
    std::map<Key, twiliowa::testing::FakeChatView> views;
    for (auto& view : fake_->chats()) {
        const Key key{view.customer, view.sender};
        if (messages_of.find(key) == messages_of.end()) order.push_back(key);
        views[key] = std::move(view);
    }
    auto& conversations = answer["conversations"] = json::array();
    for (const auto& key : order) {
        if (conversations.size() >= shown_conversations) break;
        json messages = json::array();
        const auto& newest = messages_of[key];
        for (auto message = newest.rbegin(); message != newest.rend(); ++message) {
            messages.push_back(message_json(*fake_, *message));
        }
        const auto& view = views[key];
        conversations.push_back({{"customer", key.first},
                                 {"sender", key.second},
                                 {"name", view.profile_name},
                                 {"window_open", view.window_is_open},
                                 {"typing", view.sees_typing},
                                 {"block", view.blocks},
                                 {"whatsapp", view.has_whatsapp},
                                 {"read_at_once", view.reads_at_once},
                                 {"opted_out", view.opted_out},
                                 {"messages", std::move(messages)}});
    }
}

/// Adds to `answer` what can go wrong, and what does.
void Control::add_faults(json& answer) const {
    const auto plan = fake_->faults();
    auto& names = answer["faults"] = json::array();
    for (const auto& [name, fault] : twiliowa::testing::fault_names) names.push_back(name);
    auto& next = answer["next_faults"] = json::array();
    for (const auto fault : plan.next) {
        const auto name = fault_name(fault);
        if (next.empty() || next.back()["fault"] != name) {
            if (next.size() >= shown_next_faults) break;
            next.push_back({{"fault", name}, {"count", 0}});
        }
        next.back()["count"] = next.back()["count"].get<int>() + 1;
    }
    auto& rates = answer["fault_rates"] = json::object();
    for (const auto& [fault, rate] : plan.rates) rates[fault_name(fault)] = rate;
    answer["webhook_faults"] = {{"dropped", plan.webhooks.dropped},
                                {"doubled", plan.webhooks.doubled},
                                {"late", plan.webhooks.late},
                                {"reordered", plan.webhooks.reordered}};
    answer["fault_seed"] = std::to_string(fault_seed_);
}

/// Orders faults of requests: the next ones', by chance, where chance starts, or none any more.
ControlAnswer Control::set_faults(const json& order) {
    if (order.contains("clear")) {
        if (flag_of(order, "clear")) fake_->clear_faults();
        return {};
    }
    if (order.contains("seed")) {
        const auto seed = seed_of(order["seed"]);
        fault_seed_ = seed;
        fake_->seed_faults(seed);
        if (!order.contains("fault")) return {};
    }
    const auto fault = fault_of(text_of(order, "fault"));
    if (order.contains("probability")) {
        fake_->set_fault_rate(fault, share_of(order, "probability"));
        return {};
    }
    const auto count = number_of(order, "count", 1);
    const auto room = most_faults - std::min(most_faults, fake_->faults().next.size());
    if (!(count >= 0 && count <= static_cast<double>(room))) {
        return refusal("count is out of range");
    }
    fake_->next_fault(fault, static_cast<int>(count));
    return {};
}

/// What makes the account say no. What the order leaves out stays as it is; null lifts a limit.
void Control::set_limits(const json& order) {
    require_known(order, {"daily_messages", "concurrent_requests", "messages_per_second", "trial",
                          "throttle", "retry_after"});
    // All of it is read before anything is done.
    const auto daily = limit_of(order, "daily_messages");
    const auto concurrent = limit_of(order, "concurrent_requests");
    const bool unlimited = order.value("messages_per_second", json()).is_null();
    const double rate = unlimited ? 0.0 : number_of(order, "messages_per_second");
    if (!(unlimited || (rate >= 0.001 && rate <= 1e6))) {
        throw std::invalid_argument("messages_per_second is not from 0.001 to 1000000");
    }
    const auto trial = order.value("trial", json());
    std::vector<std::string> verified;
    if (!trial.is_null() && !trial.is_array()) {
        throw std::invalid_argument("trial is not a list of numbers");
    }
    for (const auto& number : trial) {
        if (!number.is_string()) throw std::invalid_argument("trial is not a list of numbers");
        verified.push_back(number.get<std::string>());
    }
    const auto throttle = limit_of(order, "throttle");
    const auto retry_after = limit_of(order, "retry_after");

    if (order.contains("daily_messages")) fake_->set_daily_limit(account_.sid, daily);
    if (order.contains("concurrent_requests")) {
        fake_->set_concurrency_limit(account_.sid, concurrent);
    }
    if (order.contains("messages_per_second")) fake_->set_message_rate(rate);
    if (order.contains("trial") && trial.is_null()) fake_->end_trial(account_.sid);
    if (trial.is_array()) fake_->set_trial(account_.sid, verified);
    if (order.contains("throttle")) {
        fake_->throttle_next(
            account_.sid, throttle.value_or(0),
            retry_after ? std::optional{std::chrono::seconds{*retry_after}} : std::nullopt);
    }
}

void Control::set_webhook(const json& order) {
    const auto owner = text_of(order, "owner");
    if (!holds(accounts(), owner) && owner != FakeTwilio::demo_messaging_service_sid &&
        !holds(senders(), owner)) {
        throw std::invalid_argument(
            "owner is neither an account, nor its messaging service, nor one of its senders");
    }
    const auto url = text_of(order, "url");
    require_address("url", url);
    auto options = fake_->webhook_options(owner);
    for (const auto& [name, option] : {std::pair{"method", &options.method},
                                       {"fallback_url", &options.fallback_url},
                                       {"fallback_method", &options.fallback_method}}) {
        if (order.contains(name)) *option = text_of(order, name);
    }
    require_address("fallback_url", options.fallback_url);
    fake_->set_webhook(owner, url, std::move(options));
}

ControlAnswer Control::post(std::string_view path, const std::string& body) {
    const auto order = json::parse(body, nullptr, false);
    if (!order.is_object()) return refusal("the body is not a JSON object");
    auto answer = obey(path, order);
    if (answer.status < 300) ++moves_;
    return answer;
}

ControlAnswer Control::obey(std::string_view path, const json& order) {
    try {
        if (path == "customer") {
            const auto sid = act(*fake_, senders(), order);
            return {200, sid.empty() ? "{}" : json{{"sid", sid}}.dump()};
        }
        if (path == "fault") return set_faults(order);
        if (path == "webhook_faults") {
            auto faults = fake_->faults().webhooks;
            faults.dropped = share_of(order, "dropped", faults.dropped);
            faults.doubled = share_of(order, "doubled", faults.doubled);
            faults.late = share_of(order, "late", faults.late);
            faults.reordered = share_of(order, "reordered", faults.reordered);
            fake_->set_webhook_faults(faults);
            return {};
        }
        if (path == "webhook") {
            set_webhook(order);
            return {};
        }
        if (path == "limits") {
            set_limits(order);
            return {};
        }
        if (path == "clock") {
            const auto seconds = number_of(order, "advance_seconds");
            const std::chrono::duration<double> left = ScaledClock::end - clock_->now();
            if (!(seconds >= 0 && seconds <= left.count())) {
                return refusal("advance_seconds is not from 0 to the end of the year 2199");
            }
            runner_->advance(std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::duration<double>{seconds}));
            return {};
        }
    } catch (const twiliowa::TwilioError& error) {
        return refusal(error.what());
    } catch (const std::exception& error) {
        return refusal(error.what());
    }
    return {404, R"({"message":"there is no such thing to post to"})"};
}

}  // namespace emulator
