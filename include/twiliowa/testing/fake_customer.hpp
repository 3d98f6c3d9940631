/// @file
/// The customer's side of the conversation: `FakeCustomer`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/testing/fake_types.hpp>
#include <twiliowa/types/message.hpp>

namespace twiliowa::testing {

class FakeTwilio;

/// A person with a phone, who writes to one of your senders. Made by `FakeTwilio::customer`; a
/// handle, cheap to copy, which must not outlive its FakeTwilio. Two of the same number and sender
/// are the same person.
///
/// What sends a message returns its SID (the inbound one's). The webhook goes out in
/// `run_until_idle()` or `advance()`. Thread-safe. Throws InvalidRequestError when the customer
/// cannot do that: tap a button where there is none, write to a sender that is none.
class TWILIOWA_EXPORT FakeCustomer {
public:
    FakeCustomer(FakeTwilio& twilio, std::string address, std::string sender);

    const std::string& address() const noexcept { return address_; }
    const std::string& sender() const noexcept { return sender_; }

    // ---- Writing.

    std::string sends_text(std::string text) const;
    std::string replies(std::string_view message_sid, std::string text) const;
    /// `bytes` can be fetched from the MediaUrl0 of the webhook.
    std::string sends_media(std::string bytes, std::string content_type,
                            std::string caption = {}) const;
    std::string sends_location(double latitude, double longitude, std::string label = {},
                               std::string address = {}) const;
    /// Presses a quick reply, named by its title or id, of the newest message that has it.
    std::string taps(std::string_view button) const;
    /// Picks an item, named by its title or id, of the newest list that has it.
    std::string chooses(std::string_view item) const;
    /// Answers a flow: JSON text, which comes as FlowData (documented) and as InteractiveData (seen
    /// on webhooks); what Twilio puts into the one and the other may differ.
    std::string answers_flow(std::string json) const;
    /// `STOP`; also opts out.
    std::string stops() const;
    /// `START`; also opts back in.
    std::string starts_again() const;
    /// Joins a sandbox with its code.
    std::string joins(std::string_view code) const;

    // ---- The phone.

    /// The name that webhooks give (ProfileName). Default: `Customer`.
    const FakeCustomer& named(std::string name) const;
    /// The WhatsApp user id that webhooks give beside the number (ExternalUserId), `US.4f1a`, and
    /// that of linked portfolios (ParentExternalUserId), `US.ENT.4f1a`; `whatsapp:` may stand
    /// before either. Default: an id made of the number, and no parent. Who has no number at all is
    /// another customer, by name of the id: `fake.customer("whatsapp:US.4f1a")`.
    const FakeCustomer& has_user_id(std::string_view user_id,
                                    std::string_view parent_user_id = {}) const;
    /// From now on webhooks name the customer by user id (by that of linked portfolios, if there is
    /// one): To or From, and ExternalUserId. Not so where the number is in the sender's contact
    /// book: when the two have had a message under it.
    const FakeCustomer& hides_number(bool yes = true) const;
    /// The sender knows the number no more, until there is another message under it.
    const FakeCustomer& leaves_contact_book() const;
    /// Moves to another number, which nobody has, and so gets other user ids and new chats. The
    /// customer that is returned is the same person; this one is whoever has the old number next.
    FakeCustomer changes_number(std::string_view number) const;
    /// The user id, as on the wire. What is sent to it arrives here.
    std::string user_id() const;
    /// How webhooks to the sender name the customer at present: by number or by id.
    std::string known_as() const;
    /// Opens the chat: every delivered message becomes read. Returns how many.
    int reads() const;
    /// From now on, messages are read soon after they are delivered.
    void reads_at_once(bool yes = true) const;
    /// Blocks the sender: what is sent ends as undelivered, 63014 (or another code of yours), until
    /// the customer writes again.
    void blocks(bool yes = true, int error_code = 63014) const;
    /// Wants no marketing from the sender: templates of that category end as undelivered, 63050,
    /// and everything else arrives.
    void refuses_marketing(bool yes = true) const;
    /// Without WhatsApp, what is sent ends as undelivered, 63024 (or another code of yours).
    void has_whatsapp(bool yes, int error_code = 63024) const;
    /// Messages to and from, oldest first.
    std::vector<Message> conversation() const;
    /// Lets happen what is to happen (`FakeTwilio::run_until_idle`); then the newest message of the
    /// conversation, whoever wrote it. An empty one if there is none.
    Message sees() const;
    /// Whether free-form messages arrive at present.
    bool window_is_open() const;
    /// Whether the phone shows "typing": for 25 seconds, or until the next message.
    bool sees_typing() const;

private:
    FakeTwilio* twilio_;
    std::string address_;
    std::string sender_;
};

}  // namespace twiliowa::testing
