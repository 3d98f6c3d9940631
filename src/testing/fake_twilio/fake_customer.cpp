#include <twiliowa/testing/fake_customer.hpp>

#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/testing/fake_twilio.hpp>

#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/messages/taps.hpp"
#include "testing/fake_twilio/state.hpp"
#include "testing/fake_twilio/webhooks/message_fields.hpp"
#include "testing/fake_twilio/world/address.hpp"

namespace twiliowa::testing {

namespace {

/// A coordinate as JSON writes numbers: the shortest text that is the same number.
std::string coordinate_text(double degrees) {
    return nlohmann::json(degrees).dump();
}

/// As on the wire. `field` names it in the error.
std::string read_user_id(std::string_view field, std::string_view text) {
    auto id = fake::on_whatsapp(text);
    if (fake::is_whatsapp(id) && fake::is_user_id(fake::identity_of(id))) return id;
    Error::invalid_request(field, "is not a WhatsApp user id", "write US.4f1a, or US.ENT.4f1a")
        .raise();
}

FakeInbound customer_message(const FakeCustomer& customer, std::string body) {
    FakeInbound message;
    message.from = customer.address();
    message.to = customer.sender();
    message.body = std::move(body);
    return message;
}

}  // namespace

FakeCustomer::FakeCustomer(FakeTwilio& twilio, std::string address, std::string sender)
    : twilio_(&twilio), address_(std::move(address)), sender_(std::move(sender)) {
    if (sender_.find(':') != std::string::npos) address_ = fake::on_whatsapp(address_);
}

std::string FakeCustomer::sends_text(std::string text) const {
    return twilio_->receive(customer_message(*this, std::move(text)));
}

std::string FakeCustomer::replies(std::string_view message_sid, std::string text) const {
    auto message = customer_message(*this, std::move(text));
    message.reply_to = message_sid;
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::sends_media(std::string bytes, std::string content_type,
                                      std::string caption) const {
    auto message = customer_message(*this, std::move(caption));
    message.media = std::move(bytes);
    message.media_type = std::move(content_type);
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::sends_location(double latitude, double longitude, std::string label,
                                         std::string address) const {
    auto message = customer_message(*this, {});
    message.message_type = "location";
    message.parameters = {{"Latitude", coordinate_text(latitude)},
                          {"Longitude", coordinate_text(longitude)}};
    if (!label.empty()) message.parameters.emplace_back("Label", std::move(label));
    if (!address.empty()) message.parameters.emplace_back("Address", std::move(address));
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::taps(std::string_view button) const {
    auto message = customer_message(*this, {});
    {
        const std::lock_guard lock{twilio_->state_->mutex};
        const auto tapped = fake::find_button(twilio_->state_->world, sender_, address_, button);
        if (tapped.message == nullptr)
            Error::invalid_request("button", "is on none of the messages").raise();
        message.body = tapped.title;
        message.reply_to = tapped.message->record.sid.str();
        message.parameters = {{"ButtonText", tapped.title}, {"ButtonPayload", tapped.id}};
    }
    if (message.parameters.back().second.empty()) message.parameters.pop_back();
    message.message_type = "button";
    if (twilio_->state_->world.options.interactive_taps) {
        message.message_type = "interactive";
        message.parameters.emplace_back("Forwarded", "false");
        if (!twilio_->state_->world.options.user_ids) {
            const std::lock_guard lock{twilio_->state_->mutex};
            message.parameters.emplace_back("ExternalUserId",
                                            twilio_->state_->world.phones.user_id_of(address_));
        }
    }
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::chooses(std::string_view item) const {
    auto message = customer_message(*this, {});
    {
        const std::lock_guard lock{twilio_->state_->mutex};
        const auto chosen = fake::find_item(twilio_->state_->world, sender_, address_, item);
        if (chosen.message == nullptr)
            Error::invalid_request("item", "is in none of the lists").raise();
        message.body = chosen.title;
        message.reply_to = chosen.message->record.sid.str();
        message.parameters = {{"ListId", chosen.id}, {"ListTitle", chosen.title}};
    }
    message.message_type = "interactive";
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::answers_flow(std::string json) const {
    auto message = customer_message(*this, {});
    message.message_type = "interactive";
    message.parameters = {{"FlowData", json}, {"InteractiveData", json}};
    return twilio_->receive(std::move(message));
}

std::string FakeCustomer::stops() const {
    return sends_text("STOP");
}

std::string FakeCustomer::starts_again() const {
    return sends_text("START");
}

std::string FakeCustomer::joins(std::string_view code) const {
    return sends_text("join " + std::string{code});
}

const FakeCustomer& FakeCustomer::named(std::string name) const {
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& phones = twilio_->state_->world.phones;
    phones.phone(address_).name = std::move(name);
    phones.chat(sender_, address_);
    return *this;
}

const FakeCustomer& FakeCustomer::has_user_id(std::string_view user_id,
                                              std::string_view parent_user_id) const {
    auto id = read_user_id("user_id", user_id);
    auto parent =
        parent_user_id.empty() ? std::string{} : read_user_id("parent_user_id", parent_user_id);
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& phones = twilio_->state_->world.phones;
    phones.phone(address_).user_id = std::move(id);
    phones.phone(address_).parent_user_id = std::move(parent);
    phones.chat(sender_, address_);
    return *this;
}

const FakeCustomer& FakeCustomer::hides_number(bool yes) const {
    if (fake::is_user_id(fake::identity_of(address_))) {
        Error::invalid_request("customer", "has no number to hide").raise();
    }
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& world = twilio_->state_->world;
    world.phones.phone(address_).hides_number = yes;
    world.phones.chat(sender_, address_);
    ++world.revision;
    return *this;
}

const FakeCustomer& FakeCustomer::leaves_contact_book() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& world = twilio_->state_->world;
    world.phones.chat(sender_, address_).number_forgotten = world.store.next_place();
    ++world.revision;
    return *this;
}

FakeCustomer FakeCustomer::changes_number(std::string_view number) const {
    const auto address = fake::on_whatsapp(number);
    if (!fake::is_whatsapp(address) || !fake::is_phone_number(fake::identity_of(address))) {
        Error::invalid_request("number", "is no phone number").raise();
    }
    if (!fake::is_phone_number(fake::identity_of(address_))) {
        Error::invalid_request("customer", "has no number to change").raise();
    }
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& world = twilio_->state_->world;
    if (world.phones.find_phone(address) != nullptr) {
        Error::invalid_request("number", "is another customer's").raise();
    }
    world.phones.change_number(address_, address);
    world.phones.chat(sender_, address);
    ++world.revision;
    return FakeCustomer{*twilio_, address, sender_};
}

std::string FakeCustomer::user_id() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    return twilio_->state_->world.phones.user_id_of(address_);
}

std::string FakeCustomer::known_as() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    return fake::known_as(twilio_->state_->world, sender_, address_);
}

int FakeCustomer::reads() const {
    auto& state = *twilio_->state_;
    const int count = [&] {
        const std::lock_guard lock{state.mutex};
        return fake::read_messages(state.world, sender_, address_, state.moment());
    }();
    state.notify();
    return count;
}

void FakeCustomer::reads_at_once(bool yes) const {
    const std::lock_guard lock{twilio_->state_->mutex};
    twilio_->state_->world.phones.chat(sender_, address_).reads_at_once = yes;
}

void FakeCustomer::blocks(bool yes, int error_code) const {
    const std::lock_guard lock{twilio_->state_->mutex};
    twilio_->state_->world.phones.chat(sender_, address_).blocked = yes ? error_code : 0;
    ++twilio_->state_->world.revision;
}

void FakeCustomer::refuses_marketing(bool yes) const {
    const std::lock_guard lock{twilio_->state_->mutex};
    twilio_->state_->world.phones.chat(sender_, address_).refuses_marketing = yes;
    ++twilio_->state_->world.revision;
}

void FakeCustomer::has_whatsapp(bool yes, int error_code) const {
    const std::lock_guard lock{twilio_->state_->mutex};
    auto& phones = twilio_->state_->world.phones;
    phones.phone(address_).without_whatsapp = yes ? 0 : error_code;
    phones.chat(sender_, address_);
    ++twilio_->state_->world.revision;
}

std::vector<Message> FakeCustomer::conversation() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    std::vector<Message> messages;
    for (const auto& [place, message] : twilio_->state_->world.store.all()) {
        const auto& record = message.record;
        const auto& phones = twilio_->state_->world.phones;
        if ((record.from == sender_ && phones.owner_of(record.to) == address_) ||
            (record.to == sender_ && phones.owner_of(record.from) == address_)) {
            messages.push_back(record);
        }
    }
    return messages;
}

Message FakeCustomer::sees() const {
    twilio_->run_until_idle();
    auto messages = conversation();
    return messages.empty() ? Message{} : std::move(messages.back());
}

bool FakeCustomer::window_is_open() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    return fake::is_window_open(twilio_->state_->world.phones.find_chat(sender_, address_),
                                twilio_->state_->clock->now());
}

bool FakeCustomer::sees_typing() const {
    const std::lock_guard lock{twilio_->state_->mutex};
    return fake::is_typing(twilio_->state_->world.phones.find_chat(sender_, address_),
                           twilio_->state_->clock->now());
}

}  // namespace twiliowa::testing
