/// @file
/// Who does not want messages any more.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sender.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Options of OptOuts.
struct OptOutOptions {
    /// Whether `learn_inbound` reads the customer's words. Off by default: with Advanced Opt-Out
    /// Twilio says what is meant (OptOutType), and some of the words are ordinary answers in a
    /// chat. An opt-out that was learnt from an error is undone by the start words all the same:
    /// without Advanced Opt-Out nothing else tells of the return.
    bool read_words = false;
    /// A message that is one of these and nothing else; case and surrounding white space do not
    /// count. Default: Twilio's default keywords.
    TextList stop_words = {"STOP",    "UNSUBSCRIBE", "END",    "QUIT",
                           "STOPALL", "REVOKE",      "OPTOUT", "CANCEL"};
    TextList start_words = {"START", "UNSTOP"};
    /// The errors that mean an opt-out of everything: 21610 (unsubscribed from the sender).
    std::vector<int> codes = {21610};
    /// Those that stop everything until the customer writes: 63033 (blocked the sender).
    std::vector<int> blocked_codes = {63033};
    /// Those that stop marketing alone: 63050.
    std::vector<int> marketing_codes = {63050};
    /// How long a return is remembered, so that late news of an older opt-out does not undo it. An
    /// opt-out itself is kept for good. With `customers` a return does not expire, and this is how
    /// long a message of a customer's is remembered that may end a block under another address.
    std::chrono::milliseconds opt_in_kept{std::chrono::hours{7 * 24}};
    /// Part of every key. Needed where several accounts use one sender and one store (the sandbox).
    TextField scope = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
    /// Who is behind an address: what is known under any address of a customer then holds for all
    /// of them. Its scope must be the same. Without it every address is by itself.
    std::shared_ptr<const Customers> customers = {};
    /// Consents that an opt-out withdraws: of all purposes, or those of marketing alone (63050). A
    /// block withdraws none, nor does a return grant any.
    std::shared_ptr<const Consents> consents = {};
};

/// What was learnt.
enum class OptOutNews { nothing, opted_out, opted_in };

/// What does not go to a recipient. Each part is kept by itself.
struct OptOutState {
    /// Nothing goes: the customer said so (STOP), or Twilio did (21610). Ends with their return
    /// (START).
    bool everything = false;
    /// Nothing goes: the customer blocked the sender (63033). Ends with their next message,
    /// whatever it says.
    bool blocked = false;
    /// No marketing goes (63050). WhatsApp stops it by itself, so a template whose category nobody
    /// told goes; see OutboundTemplate::category. Ends with START.
    bool marketing = false;

    friend bool operator==(const OptOutState&, const OptOutState&) = default;
};

/// Remembers opt-outs per (sender, recipient): who stops one sender may still want another.
/// Thread-safe.
///
/// `sender` is yours: an address as Address::parse reads it, or the SID of a messaging service
/// (MG...), for which Advanced Opt-Out keeps its own list. Give both when an inbound message names
/// both. An SMS address is written `sms:+...`. Every method also takes both as they are once read:
/// a Sender (or an Address, or a MessagingServiceSid) and an Address. News counts by its time:
/// older news does not undo newer; of the same time, the last word counts. Errors of all methods:
/// those of the store, and InvalidRequestError for an address that is none.
///
/// | learnt from                          | stops              | ends with               |
/// |--------------------------------------|--------------------|-------------------------|
/// | STOP, `opt_out`, error 21610         | everything         | START, `opt_in`         |
/// | error 63033 (blocked the sender)     | everything         | the next message, START |
/// | error 63050 (no marketing, please)   | marketing          | START, `opt_in`         |
///
/// A report of a block that comes in after the message which ended it holds until the next message;
/// with OptOutOptions::customers it does not hold.
///
/// An opt-out is pinned in the store and does not expire. A MemoryStore forgets it with the
/// process: in production give a store that lasts.
class TWILIOWA_EXPORT OptOuts {
public:
    /// @throws InvalidRequestError if `store` is null, a duration is not positive, or `customers`
    /// is of another scope.
    explicit OptOuts(std::shared_ptr<Store> store, OptOutOptions options = {});

    /// @param at  since when. Default, and latest: now.
    Result<void> opt_out(std::string_view sender, std::string_view recipient,
                         std::optional<TimePoint> at = {}) const;
    Result<void> opt_out(const Sender& sender, const Address& recipient,
                         std::optional<TimePoint> at = {}) const;
    Result<void> opt_in(std::string_view sender, std::string_view recipient,
                        std::optional<TimePoint> at = {}) const;
    Result<void> opt_in(const Sender& sender, const Address& recipient,
                        std::optional<TimePoint> at = {}) const;
    /// Whether nothing at all may go: `everything` or `blocked`.
    Result<bool> is_opted_out(std::string_view sender, std::string_view recipient) const;
    Result<bool> is_opted_out(const Sender& sender, const Address& recipient) const;
    /// What is stopped.
    Result<OptOutState> state(std::string_view sender, std::string_view recipient) const;
    Result<OptOutState> state(const Sender& sender, const Address& recipient) const;
    /// For who has asked `Customers::linked` already; without OptOutOptions::customers, too.
    Result<OptOutState> state(const Sender& sender, const LinkedCustomer& recipient) const;

    /// Learns from an inbound message: from OptOutType (STOP, START; HELP is neither) where Twilio
    /// gave one, else from the words, where those are read. Any message ends a block. Returns what
    /// the message meant; the end of a block alone is `nothing`.
    /// @param opt_out_type  the parameter OptOutType, or empty.
    Result<OptOutNews> learn_inbound(std::string_view sender, std::string_view customer,
                                     std::string_view opt_out_type, std::string_view body,
                                     std::optional<TimePoint> at = {}) const;
    Result<OptOutNews> learn_inbound(const Sender& sender, const Address& customer,
                                     std::string_view opt_out_type, std::string_view body,
                                     std::optional<TimePoint> at = {}) const;

    /// Learns from the error code of a refused send or of a status callback.
    /// @param at  when the refused message was sent. Default: now.
    Result<OptOutNews> learn_error(std::string_view sender, std::string_view recipient, int code,
                                   std::optional<TimePoint> at = {}) const;
    Result<OptOutNews> learn_error(const Sender& sender, const Address& recipient, int code,
                                   std::optional<TimePoint> at = {}) const;

    /// OptOutOptions::customers; may be null.
    const std::shared_ptr<const Customers>& customers() const noexcept {
        return options_.customers;
    }

private:
    enum class News { wrote, in, in_if_refused, out, refused, blocked, marketing };
    struct Change;
    /// Says whether it is news.
    Result<bool> record(const Sender& sender, const Address& recipient, News news,
                        std::optional<TimePoint> at) const;
    Result<bool> record_here(const Sender& sender, const Address& recipient, News news,
                             std::optional<TimePoint> at) const;
    Result<bool> record_linked(const Sender& sender, const Address& recipient, News news,
                               TimePoint at) const;
    Result<Change> change(const std::string& key, News news, TimePoint at) const;
    Result<void> leave_to_former(const Sender& sender, const Address& number,
                                 const LinkedCustomer& customer) const;
    Result<bool> end_elsewhere(const Sender& sender, const LinkedCustomer& customer, News news,
                               TimePoint at) const;

    std::shared_ptr<Store> store_;
    OptOutOptions options_;
    std::shared_ptr<const PersonalData> personal_data_;
};

}  // namespace twiliowa
