/// @file
/// WhatsApp's 24-hour window: when free-form messages may be sent.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sender.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// What is known of a window.
struct WindowState {
    /// Whether anything is known. If not, the customer may have written before records were kept.
    bool known = false;
    /// Whether free-form messages may be sent. False when not known.
    bool open = false;
    /// When it closes, or closed. The epoch when not known.
    TimePoint until = {};
};

/// Options of ConversationWindow.
struct ConversationWindowOptions {
    /// How long a customer's message keeps the window open. WhatsApp's rule; change it in tests
    /// only.
    std::chrono::milliseconds duration{std::chrono::hours{24}};
    /// How long a window that has closed is known to be closed.
    std::chrono::milliseconds kept{std::chrono::hours{30 * 24}};
    /// Part of every key. Needed where several accounts use one sender and one store (the sandbox).
    TextField scope = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
    /// Who is behind an address: what is known under any address of a customer then holds for all
    /// of them. Its scope must be the same. Without it every address is by itself.
    std::shared_ptr<const Customers> customers = {};
};

/// Remembers when each customer last wrote. Outside the window WhatsApp takes templates only, and
/// Twilio reports it late, as error 63016 in a status callback. Thread-safe.
///
/// `sender` is yours: an address as Address::parse reads it (`whatsapp:+14155238886`, or without
/// the prefix), or the SID of a messaging service (MG...) where the sender is Twilio's choice.
/// `customer` is an address. Every method also takes both as they are once read: a Sender (or an
/// Address, or a MessagingServiceSid) and an Address. Both are compared in the form they have on
/// the wire. Of news of the same time the last word counts. Errors of all methods: those of the
/// store, and InvalidRequestError for an address that is none.
class TWILIOWA_EXPORT ConversationWindow {
public:
    /// @throws InvalidRequestError if `store` is null, a duration is not positive, or `customers`
    /// is of another scope.
    explicit ConversationWindow(std::shared_ptr<Store> store,
                                ConversationWindowOptions options = {});

    /// `customer` wrote to `sender`: the window is open from then. A message older than one already
    /// recorded changes nothing; a time to come counts as now.
    /// @param at  when it was received. Default: now.
    Result<void> record_inbound(std::string_view sender, std::string_view customer,
                                std::optional<TimePoint> at = {}) const;
    Result<void> record_inbound(const Sender& sender, const Address& customer,
                                std::optional<TimePoint> at = {}) const;

    /// A free-form message was refused with 63016: the window was closed, whatever was recorded
    /// before. A message from the customer after `at` reopens it.
    /// @param at  when the refused message was SENT, not when the refusal came: the customer may
    ///            have written in between. Default: now.
    Result<void> close(std::string_view sender, std::string_view customer,
                       std::optional<TimePoint> at = {}) const;
    Result<void> close(const Sender& sender, const Address& customer,
                       std::optional<TimePoint> at = {}) const;

    /// `close` if `code` is 63016; otherwise nothing. For the error code of a status callback.
    Result<void> learn_error(std::string_view sender, std::string_view customer, int code,
                             std::optional<TimePoint> at = {}) const;
    Result<void> learn_error(const Sender& sender, const Address& customer, int code,
                             std::optional<TimePoint> at = {}) const;

    /// What is known of the window.
    /// @param at  for that time instead of now: what would be so if the customer wrote nothing
    ///            more.
    Result<WindowState> state(std::string_view sender, std::string_view customer,
                              std::optional<TimePoint> at = {}) const;
    Result<WindowState> state(const Sender& sender, const Address& customer,
                              std::optional<TimePoint> at = {}) const;

    /// For who has asked `Customers::linked` already; without ConversationWindowOptions::customers,
    /// too.
    Result<WindowState> state(const Sender& sender, const LinkedCustomer& customer,
                              std::optional<TimePoint> at = {}) const;

    /// ConversationWindowOptions::customers; may be null.
    const std::shared_ptr<const Customers>& customers() const noexcept {
        return options_.customers;
    }

private:
    Result<void> note(const Sender& sender, const Address& customer) const;

    std::shared_ptr<Store> store_;
    ConversationWindowOptions options_;
    std::shared_ptr<const PersonalData> personal_data_;
};

}  // namespace twiliowa
