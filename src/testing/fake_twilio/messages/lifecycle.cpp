#include "testing/fake_twilio/messages/lifecycle.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "testing/fake_twilio/messages/content.hpp"
#include "testing/fake_twilio/webhooks/status_callback.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "testing/fake_twilio/world/magic.hpp"
#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::chrono::hours longest_queue{4};
constexpr int default_validity = 36'000;
constexpr std::string_view usual_price = "-0.00500";

bool is_waiting(std::string_view status) noexcept {
    return status == MessageStatus::accepted || status == MessageStatus::scheduled ||
           status == MessageStatus::canceled;
}

bool has_left(std::string_view status) noexcept {
    constexpr std::array known{MessageStatus::sent, MessageStatus::delivered, MessageStatus::read,
                               MessageStatus::undelivered, MessageStatus::partially_delivered};
    return std::find(known.begin(), known.end(), status) != known.end();
}

/// Where a message with that error ends: as in the table, else undelivered.
FakeFate fail_message(int code) {
    const auto found = std::find_if(
        testing::magic_recipients.begin(), testing::magic_recipients.end(),
        [&](const auto& magic) { return magic.code == code && !magic.status.empty(); });
    const bool known = found != testing::magic_recipients.end();
    return {std::string{known ? found->status : MessageStatus::undelivered}, code, false};
}

/// What the recipient's number says, if it is a magic one.
std::optional<FakeFate> magic_fate(std::string_view to) {
    if (const auto* magic = find_magic_recipient(to)) {
        if (magic->status.empty()) return std::nullopt;
        return FakeFate{std::string{magic->status}, magic->code, magic->number.ends_with("50022")};
    }
    constexpr std::string_view prefix = "+150055";
    const auto number = identity_of(to);
    if (!number.starts_with(prefix) || number.size() != prefix.size() + 5) return std::nullopt;
    const auto code = detail::parse_number<int>(number.substr(prefix.size()));
    if (!code || *code < 30'001 || *code > 63'999) return std::nullopt;
    return fail_message(*code);
}

/// The error of a template that WhatsApp does not take any more; 0 when it does.
int template_trouble(std::string_view approval) noexcept {
    if (approval == "rejected") return 63040;
    if (approval == "paused") return 63041;
    if (approval == "disabled") return 63042;
    return 0;
}

/// WhatsApp's rules, each about one thing.
FakeFate judge_message(const FakeWorld& world, const FakeMessage& message, TimePoint now) {
    const auto& record = message.record;
    if (auto fate = magic_fate(record.to)) return *fate;
    FakeFate delivered{std::string{MessageStatus::delivered}, 0, false};
    if (!is_whatsapp(record.to)) return delivered;

    // The id of another portfolio is nobody here.
    if (!world.phones.is_reachable(record.to)) return fail_message(63003);
    const auto customer = world.phones.owner_of(record.to);
    const auto* phone = world.phones.find_phone(customer);
    const auto* chat = world.phones.find_chat(record.from, customer);
    if (phone != nullptr && phone->without_whatsapp != 0) {
        return fail_message(phone->without_whatsapp);
    }
    if (world.sandboxes.find(record.from) != world.sandboxes.end() && !is_in_sandbox(chat, now)) {
        return fail_message(63015);
    }
    if (chat != nullptr && chat->blocked != 0) return fail_message(chat->blocked);

    const auto content_sid = message.parameters.get("ContentSid");
    const auto* account = world.accounts.find(record.account_sid);
    const auto* content = account == nullptr ? nullptr : account->find_template(content_sid);
    if (content != nullptr && content->category == "MARKETING" && chat != nullptr &&
        chat->refuses_marketing) {
        return fail_message(63050);
    }
    if (content != nullptr && content->category == "AUTHENTICATION" &&
        is_user_id(identity_of(record.to))) {
        return fail_message(63013);  // It needs a number.
    }
    const bool approved =
        content != nullptr && detail::equals_ignoring_case(content->content.approval, "approved");
    if (world.options.window_rule && !approved && !is_window_open(chat, now)) {
        const int trouble = content == nullptr ? 0 : template_trouble(content->content.approval);
        return fail_message(trouble == 0 ? 63016 : trouble);
    }
    if (approved) {
        FakeVariables variables;
        read_variables(message.parameters.get("ContentVariables"), content->content, variables);
        const int misfit = find_misfit(variables, content->content, record.body);
        if (misfit != 0) return fail_message(misfit);
    }
    return delivered;
}

/// It is there, comes later, or never does.
void decide_price(FakeWorld& world, FakeMessage& message, const FakeMoment& moment) {
    if (std::exchange(message.price_decided, true) || !message.record.price.empty()) return;
    if (world.dice.rolls(world.prices.never)) return;
    if (world.prices.delay.count() == 0) {
        message.record.price = usual_price;
    } else {
        world.events.push(moment.monotonic + world.prices.delay,
                          {FakeEvent::Kind::price, message.record.sid.str(), {}});
    }
}

void set_status(FakeWorld& world, FakeMessage& message, std::string_view status, int code,
                const FakeMoment& moment) {
    auto& record = message.record;
    record.status = MessageStatus{status};
    record.error_code = code == 0 ? std::nullopt : std::optional<int>{code};
    record.error_message = code == 0 ? "" : "Delivery failed";
    record.date_updated = moment.now;
    if (has_left(status)) {
        if (!record.date_sent) record.date_sent = moment.now;
        decide_price(world, message, moment);
    }
    if (!is_waiting(status) && record.from.empty()) {
        if (const auto* account = world.accounts.find(record.account_sid)) {
            record.from = pick_sender(*account, record.messaging_service_sid, record.to);
        }
    }
    if (!is_waiting(status) && record.num_segments == 0) record.num_segments = 1;
    ++world.revision;
}

/// The time at which `sender` may send its next message, which is taken.
MonotonicTime take_slot(FakeWorld& world, const std::string& sender, MonotonicTime earliest) {
    const double rate = world.messages_per_second;
    if (rate <= 0.0) return earliest;
    auto& free_from = world.free_from[sender];
    const auto slot = std::max(free_from, earliest);
    constexpr std::chrono::nanoseconds longest = std::chrono::hours{24};
    const double interval = std::min(1e9 / rate, static_cast<double>(longest.count()));
    free_from = slot + std::chrono::nanoseconds{std::llround(interval)};
    return slot;
}

void plan_step(FakeWorld& world, const FakeMessage& message, MonotonicTime when) {
    world.events.push(
        when, {FakeEvent::Kind::step, message.record.sid.str(), message.record.status.str()});
}

void enter_queue(FakeWorld& world, const FakeMessage& message, const FakeMoment& moment) {
    const auto& timings = world.options.timings;
    plan_step(world, message,
              take_slot(world, message.record.from, moment.monotonic + timings.until_sending));
}

bool has_validity_passed(const FakeMessage& message, TimePoint now) {
    const auto given = detail::parse_number<int>(message.parameters.get("ValidityPeriod"));
    // A scheduled message's time in the queue begins when it gets there.
    const auto since = message.queued ? message.queued : message.record.date_created;
    return since && now > *since + std::chrono::seconds{given.value_or(default_validity)};
}

void leave_queue(FakeWorld& world, FakeMessage& message, const FakeMoment& moment) {
    message.fate = judge_message(world, message, moment.now);
    if (message.fate.status == MessageStatus::queued) return;
    if (has_validity_passed(message, moment.now)) message.fate = fail_message(30036);
    move_message(world, message, MessageStatus::sending, 0, moment);
    plan_step(world, message, moment.monotonic + world.options.timings.until_sent);
}

void arrive_at_channel(FakeWorld& world, FakeMessage& message, const FakeMoment& moment) {
    if (message.fate.status == MessageStatus::failed) {
        return move_message(world, message, MessageStatus::failed, message.fate.code, moment);
    }
    move_message(world, message, MessageStatus::sent, 0, moment);
    if (message.fate.status == MessageStatus::sent) return;
    plan_step(world, message, moment.monotonic + world.options.timings.until_delivered);
}

void arrive_at_phone(FakeWorld& world, FakeMessage& message, const FakeMoment& moment) {
    const auto& fate = message.fate;
    if (fate.code != 0 || fate.skips_delivered) {
        return move_message(world, message, fate.status, fate.code, moment);
    }
    move_message(world, message, MessageStatus::delivered, 0, moment);
    const auto* chat =
        world.phones.find_chat(message.record.from, world.phones.owner_of(message.record.to));
    if (fate.status == MessageStatus::read || (chat != nullptr && chat->reads_at_once)) {
        plan_step(world, message, moment.monotonic + world.options.timings.until_read);
    }
}

}  // namespace

void move_message(FakeWorld& world, FakeMessage& message, std::string_view status, int code,
                  const FakeMoment& moment) {
    set_status(world, message, status, code, moment);
    send_status_callback(world, message, moment);
}

void start_lifecycle(FakeWorld& world, const FakeMessage& message, const FakeMoment& moment) {
    ++world.revision;
    const auto customer = world.phones.owner_of(message.record.to);
    if (world.phones.find_chat(message.record.from, customer) != nullptr) {
        world.phones.chat(message.record.from, customer).typing_since.reset();
    }
    if (!world.is_automatic()) return;
    const auto& status = message.record.status;
    if (status == MessageStatus::scheduled) {
        const auto when = send_time(message.parameters);
        plan_step(world, message, monotonic_at(moment, when.value_or(moment.now)));
    } else if (status == MessageStatus::accepted) {
        plan_step(world, message, moment.monotonic);
    } else {
        enter_queue(world, message, moment);
    }
}

void step_message(FakeWorld& world, std::string_view sid, std::string_view expected,
                  const FakeMoment& moment) {
    auto* message = world.store.find(sid);
    if (message == nullptr || message->record.status != expected) return;
    if (expected == MessageStatus::accepted || expected == MessageStatus::scheduled) {
        message->queued = moment.now;
        move_message(world, *message, MessageStatus::queued, 0, moment);
        enter_queue(world, *message, moment);
    } else if (expected == MessageStatus::queued) {
        leave_queue(world, *message, moment);
    } else if (expected == MessageStatus::sending) {
        arrive_at_channel(world, *message, moment);
    } else if (expected == MessageStatus::sent) {
        arrive_at_phone(world, *message, moment);
    } else if (expected == MessageStatus::delivered) {
        move_message(world, *message, MessageStatus::read, 0, moment);
    }
}

void fill_in_price(FakeWorld& world, std::string_view sid) {
    auto* message = world.store.find(sid);
    if (message == nullptr) return;
    message->record.price = usual_price;
    ++world.revision;
}

int read_messages(FakeWorld& world, std::string_view sender, std::string_view customer,
                  const FakeMoment& moment) {
    int count = 0;
    for (auto& [place, message] : world.store.all()) {
        const auto& record = message.record;
        if (record.status != MessageStatus::delivered || record.from != sender ||
            world.phones.owner_of(record.to) != customer) {
            continue;
        }
        move_message(world, message, MessageStatus::read, 0, moment);
        ++count;
    }
    return count;
}

bool is_queue_full(const FakeWorld& world, std::string_view sender, const FakeMoment& moment) {
    const auto found = world.free_from.find(sender);
    return found != world.free_from.end() && found->second > moment.monotonic + longest_queue;
}

}  // namespace twiliowa::testing::fake
