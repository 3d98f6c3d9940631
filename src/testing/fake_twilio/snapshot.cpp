// FakeTwilio's state as text. Each type is described once, for writing and reading.
#include <algorithm>
#include <utility>

#include "testing/fake_twilio/archive.hpp"
#include "testing/fake_twilio/state.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "text/base64.hpp"

namespace twiliowa::testing {

template <class Archive>
void describe(const Archive& archive, FakeContent& content) {
    archive("sid", content.sid);
    archive("friendly_name", content.friendly_name);
    archive("language", content.language);
    archive("body", content.body);
    archive("variables", content.variables);
    archive("types", content.types);
    archive("approval", content.approval);
}

template <class Archive>
void describe(const Archive& archive, FakeButton& button) {
    archive("type", button.type);
    archive("title", button.title);
    archive("id", button.id);
    archive("value", button.value);
}

template <class Archive>
void describe(const Archive& archive, FakeListItem& item) {
    archive("id", item.id);
    archive("title", item.title);
    archive("description", item.description);
}

template <class Archive>
void describe(const Archive& archive, FakeLocation& location) {
    archive("latitude", location.latitude);
    archive("longitude", location.longitude);
    archive("label", location.label);
    archive("address", location.address);
}

template <class Archive>
void describe(const Archive& archive, FakeCard& card) {
    archive("title", card.title);
    archive("body", card.body);
    archive("media", card.media);
    archive("buttons", card.buttons);
}

template <class Archive>
void describe(const Archive& archive, FakeBubble& bubble) {
    archive("type", bubble.type);
    archive("header", bubble.header);
    archive("body", bubble.body);
    archive("footer", bubble.footer);
    archive("media", bubble.media);
    archive("buttons", bubble.buttons);
    archive("list_button", bubble.list_button);
    archive("items", bubble.items);
    archive("locations", bubble.locations);
    archive("cards", bubble.cards);
}

template <class Archive>
void describe(const Archive& archive, FakeWebhookOptions& options) {
    archive("method", options.method);
    archive("fallback_url", options.fallback_url);
    archive("fallback_method", options.fallback_method);
}

template <class Archive>
void describe(const Archive& archive, WebhookFaults& faults) {
    archive("dropped", faults.dropped);
    archive("doubled", faults.doubled);
    archive("late", faults.late);
    archive("reordered", faults.reordered);
    archive("late_by", faults.late_by);
}

}  // namespace twiliowa::testing

namespace twiliowa {

template <class Archive>
void describe(const Archive& archive, Message& message) {
    archive("sid", message.sid);
    archive("account_sid", message.account_sid);
    archive("messaging_service_sid", message.messaging_service_sid);
    archive("from", message.from);
    archive("to", message.to);
    archive("body", message.body);
    archive("status", message.status);
    archive("direction", message.direction);
    archive("error_code", message.error_code);
    archive("error_message", message.error_message);
    archive("date_created", message.date_created);
    archive("date_sent", message.date_sent);
    archive("date_updated", message.date_updated);
    archive("num_media", message.num_media);
    archive("num_segments", message.num_segments);
    archive("price", message.price);
    archive("price_unit", message.price_unit);
    archive("api_version", message.api_version);
    archive("uri", message.uri);
    archive("media_uri", message.media_uri);
    archive("feedback_uri", message.feedback_uri);
}

template <class Archive>
void describe(const Archive& archive, Media& media) {
    archive("sid", media.sid);
    archive("account_sid", media.account_sid);
    archive("parent_sid", media.parent_sid);
    archive("content_type", media.content_type);
    archive("date_created", media.date_created);
    archive("date_updated", media.date_updated);
    archive("uri", media.uri);
}

}  // namespace twiliowa

namespace twiliowa::testing::fake {

template <class Archive>
void describe(const Archive& archive, FakeParameters& parameters) {
    auto entries = parameters.entries();
    archive("entries", entries);
    parameters = FakeParameters{std::move(entries)};
}

template <class Archive>
void describe(const Archive& archive, FakeFate& fate) {
    archive("status", fate.status);
    archive("code", fate.code);
    archive("skips_delivered", fate.skips_delivered);
}

template <class Archive>
void describe(const Archive& archive, FakeMessage& message) {
    archive("record", message.record);
    archive("media", message.media);
    archive("parameters", message.parameters);
    archive("feedback", message.feedback);
    archive("fate", message.fate);
    archive("queued", message.queued);
    archive.or_zero("price_decided", message.price_decided);
    archive("media_urls", message.media_urls);
    archive("bubble", message.bubble);
    // Bytes are not text.
    std::map<std::string, std::string> files;
    for (const auto& [sid, bytes] : message.files) detail::append_base64(files[sid], bytes);
    archive("files", files);
    message.files.clear();
    for (const auto& [sid, text] : files) {
        message.files[sid] = detail::decode_base64(text).value_or(std::string{});
    }
}

template <class Archive>
void describe(const Archive& archive, FakeTemplate& entry) {
    archive("content", entry.content);
    archive("name", entry.name);
    archive("category", entry.category);
    archive("rejection_reason", entry.rejection_reason);
    archive("allow_category_change", entry.allow_category_change);
    archive.or_zero("send_ttl_seconds", entry.send_ttl_seconds);
    archive("created", entry.created);
    archive("updated", entry.updated);
}

template <class Archive>
void describe(const Archive& archive, FakeLimits& limits) {
    archive("trial", limits.trial);
    archive("verified", limits.verified);
    archive("daily_messages", limits.daily_messages);
    archive("concurrent_requests", limits.concurrent_requests);
    archive("throttled_requests", limits.throttled_requests);
    archive("retry_after", limits.retry_after);
}

template <class Archive>
void describe(const Archive& archive, OfflineReason& reason) {
    archive("code", reason.code);
    archive("message", reason.message);
    archive("more_info", reason.more_info);
}

template <class Archive>
void describe(const Archive& archive, ChannelSender& sender) {
    archive("sid", sender.sid);
    archive("status", sender.status);
    archive("sender_id", sender.sender_id);
    archive("friendly_name", sender.friendly_name);
    archive("display_name", sender.display_name);
    archive("quality_rating", sender.quality_rating);
    archive("messaging_limit", sender.messaging_limit);
    archive("waba_id", sender.waba_id);
    archive("callback_url", sender.callback_url);
    archive("callback_method", sender.callback_method);
    archive("status_callback_url", sender.status_callback_url);
    archive("offline_reasons", sender.offline_reasons);
    archive("pending_display_name", sender.pending_display_name);
    archive("pending_display_name_status", sender.pending_display_name_status);
    archive("pending_display_name_status_date", sender.pending_display_name_status_date);
}

template <class Archive>
void describe(const Archive& archive, FakeAccount& account) {
    archive("sid", account.sid);
    archive("auth_token", account.auth_token);
    archive.if_any("owner", account.owner);
    archive("api_keys", account.api_keys);
    archive("senders", account.senders);
    archive.if_any("sender_records", account.sender_records);
    archive.if_any("status", account.status);
    archive.if_any("balance", account.balance);
    archive.if_any("currency", account.currency);
    archive("services", account.services);
    archive("contents", account.contents);
    archive("limits", account.limits);
    archive("counted_day", account.counted_day);
    archive("created_that_day", account.created_that_day);
}

template <class Archive>
void describe(const Archive& archive, FakePhone& phone) {
    archive("name", phone.name);
    archive.if_any("user_id", phone.user_id);
    archive.if_any("parent_user_id", phone.parent_user_id);
    archive("without_whatsapp", phone.without_whatsapp);
    archive.or_zero("hides_number", phone.hides_number);
}

template <class Archive>
void describe(const Archive& archive, FakeChat& chat) {
    archive("last_inbound", chat.last_inbound);
    archive("joined", chat.joined);
    archive("typing_since", chat.typing_since);
    archive.or_zero("blocked_as", chat.blocked);
    archive.or_zero("refuses_marketing", chat.refuses_marketing);
    archive("reads_at_once", chat.reads_at_once);
    archive.or_zero("number_forgotten", chat.number_forgotten);
}

template <class Archive>
void describe(const Archive& archive, FakeHooks& hooks) {
    archive("inbound", hooks.inbound);
    archive("inbound_options", hooks.inbound_options);
    archive("status", hooks.status);
}

template <class Archive>
void describe(const Archive& archive, FakeWebhookUrl& url) {
    auto text = url.fragment.empty() ? url.text : url.text + "#" + url.fragment;
    archive("text", text);
    url = FakeWebhookUrl::parse(text);
}

template <class Archive>
void describe(const Archive& archive, FakeWebhookJob& job) {
    archive("kind", job.kind);
    archive("url", job.url);
    archive("method", job.method);
    archive("parameters", job.parameters);
    archive("bare", job.bare);
    archive("account_sid", job.account_sid);
    archive("message_sid", job.message_sid);
    archive("idempotency_token", job.idempotency_token);
    archive("attempt", job.attempt);
    archive("redirects", job.redirects);
    archive("authorization", job.authorization);
    archive("fallback_url", job.fallback_url);
    archive("fallback_method", job.fallback_method);
}

template <class Archive>
void describe(const Archive& archive, FakeFaults& faults) {
    archive("next", faults.next);
    archive("rates", faults.rates);
    archive("webhooks", faults.webhooks);
}

}  // namespace twiliowa::testing::fake

namespace twiliowa::testing::fake {

namespace {

constexpr int snapshot_version = 3;

/// An event with its time as it is on the calendar: the other clock begins anew.
struct FakeSavedEvent {
    TimePoint when = {};
    FakeEvent::Kind kind = FakeEvent::Kind::step;
    std::string subject = {};
    std::string expected = {};
};

template <class Archive>
void describe(const Archive& archive, FakeSavedEvent& event) {
    archive("when", event.when);
    archive("kind", event.kind);
    archive("subject", event.subject);
    archive("expected", event.expected);
}

/// A FakeWorld, taken apart.
struct FakeSnapshot {
    int version = snapshot_version;
    TimePoint now = {};
    std::uint64_t ids = 0;
    std::uint64_t tokens = 0;
    std::uint64_t dice = 0;
    std::vector<FakeAccount> accounts = {};  ///< The first one first.
    std::vector<std::pair<std::string, std::string>> opt_outs = {};
    FakeSequence<FakeMessage> messages = {};
    std::uint64_t next_place = 1;
    std::map<std::string, FakePhone> phones = {};
    std::map<FakePhones::ChatKey, FakeChat> chats = {};
    std::vector<FakeSavedEvent> events = {};
    FakeHooks hooks = {};
    std::map<std::string, FakeWebhookJob, std::less<>> jobs = {};
    std::string held_job = {};
    std::map<std::string, TimePoint> free_from = {};
    std::map<std::string, std::string, std::less<>> sandboxes = {};
    double messages_per_second = 0.0;
    FakeFaults faults = {};
    std::chrono::milliseconds list_lag{0};
    bool hides_scheduled = false;
    FakePrices prices = {};
};

template <class Archive>
void describe(const Archive& archive, FakeSnapshot& snapshot) {
    archive("version", snapshot.version);
    archive("now", snapshot.now);
    archive("ids", snapshot.ids);
    archive("tokens", snapshot.tokens);
    archive("dice", snapshot.dice);
    archive("accounts", snapshot.accounts);
    archive("opt_outs", snapshot.opt_outs);
    archive("messages", snapshot.messages);
    archive("next_place", snapshot.next_place);
    archive("phones", snapshot.phones);
    archive("chats", snapshot.chats);
    archive("events", snapshot.events);
    archive("hooks", snapshot.hooks);
    archive("jobs", snapshot.jobs);
    archive("held_job", snapshot.held_job);
    archive("free_from", snapshot.free_from);
    archive("sandboxes", snapshot.sandboxes);
    archive("messages_per_second", snapshot.messages_per_second);
    archive("faults", snapshot.faults);
    archive.or_zero("list_lag", snapshot.list_lag);
    archive.or_zero("hides_scheduled", snapshot.hides_scheduled);
    archive.or_zero("price_delay", snapshot.prices.delay);
    archive.or_zero("price_never", snapshot.prices.never);
}

TimePoint calendar_time_of(const FakeMoment& moment, MonotonicTime when) {
    return moment.now + std::chrono::duration_cast<TimePoint::duration>(when - moment.monotonic);
}

FakeSnapshot take_apart(const FakeWorld& world, const FakeMoment& moment) {
    FakeSnapshot snapshot;
    snapshot.now = moment.now;
    snapshot.ids = world.ids.state();
    snapshot.tokens = world.tokens.state();
    snapshot.dice = world.dice.state();
    if (const auto* first = world.accounts.first()) {
        snapshot.accounts.push_back(*first);
        for (const auto& [sid, account] : world.accounts.all()) {
            if (sid != first->sid) snapshot.accounts.push_back(account);
        }
    }
    const auto& opt_outs = world.accounts.opt_outs();
    snapshot.opt_outs.assign(opt_outs.begin(), opt_outs.end());
    snapshot.messages = world.store.all();
    snapshot.next_place = world.store.next_place();
    snapshot.phones.insert(world.phones.phones().begin(), world.phones.phones().end());
    snapshot.chats = world.phones.chats();
    for (auto& [when, order, event] : world.events.sorted()) {
        snapshot.events.push_back({calendar_time_of(moment, when), event.kind,
                                   std::move(event.subject), std::move(event.expected)});
    }
    snapshot.hooks = world.hooks;
    snapshot.jobs = world.jobs;
    snapshot.held_job = world.held_job;
    for (const auto& [sender, when] : world.free_from) {
        if (when > moment.monotonic) snapshot.free_from[sender] = calendar_time_of(moment, when);
    }
    snapshot.sandboxes = world.sandboxes;
    snapshot.messages_per_second = world.messages_per_second;
    snapshot.faults = world.faults;
    snapshot.list_lag = world.list_lag;
    snapshot.hides_scheduled = world.hides_scheduled;
    snapshot.prices = world.prices;
    return snapshot;
}

void put_together(FakeSnapshot snapshot, const FakeMoment& moment, FakeWorld& world) {
    world.ids = FakeIds{snapshot.ids};
    world.tokens = FakeIds{snapshot.tokens};
    world.dice.restore(snapshot.dice);
    FakeAccounts accounts;
    for (auto& account : snapshot.accounts) {
        // Requests under way stay so.
        const auto* present = world.accounts.find(account.sid);
        account.requests_under_way = present == nullptr ? 0 : present->requests_under_way;
        accounts.add(account.sid) = std::move(account);
    }
    for (const auto& [sender, recipient] : snapshot.opt_outs) accounts.opt_out(sender, recipient);
    world.accounts = std::move(accounts);
    world.store.restore(std::move(snapshot.messages), snapshot.next_place);
    world.phones = {};
    for (const auto& [customer, phone] : snapshot.phones) world.phones.phone(customer) = phone;
    for (const auto& [key, chat] : snapshot.chats) world.phones.chat(key.first, key.second) = chat;
    world.events.clear();
    for (auto& saved : snapshot.events) {
        world.events.push(monotonic_at(moment, saved.when),
                          {saved.kind, std::move(saved.subject), std::move(saved.expected)});
    }
    world.hooks = std::move(snapshot.hooks);
    world.jobs = std::move(snapshot.jobs);
    world.held_job = std::move(snapshot.held_job);
    world.free_from.clear();
    for (const auto& [sender, when] : snapshot.free_from) {
        world.free_from[sender] = monotonic_at(moment, when);
    }
    world.sandboxes = std::move(snapshot.sandboxes);
    world.messages_per_second = snapshot.messages_per_second;
    world.faults = std::move(snapshot.faults);
    world.list_lag = snapshot.list_lag;
    world.hides_scheduled = snapshot.hides_scheduled;
    world.prices = snapshot.prices;
    world.replies.clear();
    ++world.revision;
    resume_webhooks(world, moment);
}

}  // namespace

}  // namespace twiliowa::testing::fake

namespace twiliowa::testing {

std::string FakeTwilio::save() const {
    // Not const: a description may take a value apart and put it together again.
    auto snapshot = [&] {
        const std::lock_guard lock{state_->mutex};
        return fake::take_apart(state_->world, state_->moment());
    }();
    return fake::write_archive(snapshot).dump(-1, ' ', false,
                                              fake::ArchiveJson::error_handler_t::replace);
}

void FakeTwilio::load(std::string_view state) {
    fake::FakeSnapshot snapshot;
    try {
        fake::read_archive(fake::ArchiveJson::parse(state), snapshot);
    } catch (const fake::ArchiveJson::exception&) {
        snapshot.version = 0;
    }
    if (snapshot.version != fake::snapshot_version) {
        Error::invalid_request("state", "is not what FakeTwilio::save made").raise();
    }
    {
        const std::lock_guard lock{state_->mutex};
        const auto before = state_->moment();
        if (state_->movable_clock != nullptr && snapshot.now > before.now) {
            state_->movable_clock->advance(snapshot.now - before.now);
        }
        fake::put_together(std::move(snapshot), state_->moment(), state_->world);
    }
    state_->notify();
}

}  // namespace twiliowa::testing
