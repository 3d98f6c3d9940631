#include "testing/fake_twilio/webhooks/status_callback.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "testing/fake_twilio/webhooks/message_fields.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

std::string callback_url(const FakeWorld& world, const FakeMessage& message) {
    const auto own = message.parameters.get("StatusCallback");
    if (!own.empty()) return std::string{own};
    const auto application = world.hooks.status.find(message.parameters.get("ApplicationSid"));
    if (application != world.hooks.status.end()) return application->second;
    const auto hook = find_hook(world.hooks.status, message.record, message.record.from);
    return hook == world.hooks.status.end() ? std::string{} : hook->second;
}

/// `+44770090XXXX`
std::string mask_number(std::string_view address) {
    std::string number{identity_of(address)};
    const auto masked = number.size() < 4 ? 0 : number.size() - 4;
    return number.substr(0, masked) + "XXXX";
}

/// The same for the same sender.
std::string channel_sid(std::string_view sender) {
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : sender) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return FakeIds{hash}.next("XE");
}

std::string event_type_of(std::string_view status) {
    if (status != MessageStatus::read && status != MessageStatus::delivered &&
        status != MessageStatus::undelivered) {
        return {};
    }
    std::string type{status};
    for (char& c : type) c = static_cast<char>(c - 'a' + 'A');
    return type;
}

void add_channel_fields(std::vector<FakeParameters::Entry>& fields, const Message& record,
                        std::string_view to) {
    if (auto type = event_type_of(record.status.str()); !type.empty()) {
        fields.emplace_back("EventType", std::move(type));
    }
    fields.emplace_back("ChannelPrefix", "whatsapp");
    fields.emplace_back("ChannelInstallSid", channel_sid(record.from));
    fields.emplace_back("ChannelToAddress", mask_number(to));
    fields.emplace_back("StructuredMessage", "false");
}

}  // namespace

void send_status_callback(FakeWorld& world, const FakeMessage& message, const FakeMoment& moment) {
    const auto url = callback_url(world, message);
    if (url.empty()) return;
    const auto& record = message.record;
    const auto& sid = record.sid.str();
    const auto& status = record.status.str();

    FakeWebhookJob job;
    job.kind = "status";
    job.url = FakeWebhookUrl::parse(url);
    job.account_sid = record.account_sid;
    job.message_sid = sid;
    auto& fields = job.parameters;
    fields.reserve(20);
    fields.emplace_back("SmsSid", sid);
    fields.emplace_back("SmsStatus", status);
    fields.emplace_back("MessageStatus", status);
    const auto customer = world.phones.owner_of(record.to);
    const auto to = known_as(world, record.from, customer);
    fields.emplace_back("To", to);
    append_message_fields(fields, record);
    if (is_whatsapp(record.to)) {
        add_channel_fields(fields, record, to);
        if (status == MessageStatus::delivered || status == MessageStatus::read) {
            world.phones.phone(customer);  // Whose id is told can be reached by it.
            append_user_ids(fields, world, customer, to);
        }
    } else if (status == MessageStatus::delivered) {
        const auto date = detail::format_iso8601_utc(moment.now);  // 2026-11-21T06:10:00Z
        fields.emplace_back("RawDlrDoneDate", date.substr(2, 2) + date.substr(5, 2) +
                                                  date.substr(8, 2) + date.substr(11, 2) +
                                                  date.substr(14, 2));
    }
    if (record.error_code) {
        fields.emplace_back("ErrorCode", std::to_string(*record.error_code));
        fields.emplace_back("ErrorMessage", record.error_message);
        fields.emplace_back("ChannelStatusMessage", "The channel did not deliver the message");
    }
    queue_webhook(world, std::move(job), moment);
}

}  // namespace twiliowa::testing::fake
