/// @file
/// One customer, whatever the address: phone numbers and WhatsApp user ids that are one person's.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/types/sender.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// An address of a customer, and in which time it was theirs.
struct LinkedAddress {
    Address address = {};
    std::optional<TimePoint> from = {};   ///< Since when; nullopt: for all that is known, always.
    std::optional<TimePoint> until = {};  ///< When it went to another; nullopt: it is theirs.

    /// Whether it was theirs at that time.
    bool held(TimePoint at) const noexcept {
        return (!from || at >= *from) && (!until || at < *until);
    }
};

/// Who is behind an address.
struct LinkedCustomer {
    /// All that is theirs, at most 8; first what was asked for. One only: nothing is linked.
    std::vector<LinkedAddress> addresses = {};
    /// For a number that has changed hands: an id of each one who had it before, oldest first.
    std::vector<LinkedAddress> former = {};
};

/// What was learnt of a link.
struct CustomerNews {
    bool linked = false;         ///< The link is new, or reaches further back.
    bool changed_hands = false;  ///< The number named another id before.
};

/// A customer, as one of your senders knows them.
struct CustomerConversation {
    Sender sender = {};
    LinkedCustomer customer = {};
};

/// What a part made of `forget`.
struct Forgotten {
    bool kept = false;     ///< Something stays for good, in a form that names nobody.
    bool not_yet = false;  ///< Something cannot be erased yet: ask again.
};

/// A part that keeps something about customers, so that all of it is found when they ask:
/// `Customers::add_part`. ConversationWindow and OptOuts add themselves. Must be safe to call from
/// any thread.
class TWILIOWA_EXPORT PersonalData {
public:
    virtual ~PersonalData() = default;
    /// How reports and exports name it: `opt_outs`.
    virtual std::string_view name() const noexcept = 0;
    /// Erases what is kept of these conversations of one customer. Of an address that has gone to
    /// another (`until`), only what is of its time.
    virtual Result<Forgotten> forget(std::span<const CustomerConversation> of) const = 0;
    /// As which of your senders something is kept of these addresses, which are one customer's, as
    /// far as nobody has told `Customers::note`: `forget` and `export_of` ask for those
    /// conversations, too. For a part that finds records by their customer, and is spared a note of
    /// each. Default: none.
    virtual Result<std::vector<Sender>> senders_of(std::span<const Address> addresses) const;
    /// What is kept, as a JSON array.
    virtual Result<std::string> export_of(std::span<const CustomerConversation> of) const = 0;
    /// Whether something that must not be lost, such as an opt-out, is known by a link only: that
    /// link then does not expire. Default: no.
    virtual Result<bool> needs_links(const CustomerConversation& of) const;
};

/// What became of `Customers::forget`. Names are those of the parts, and `links`.
struct ForgetReport {
    std::vector<std::string> erased = {};
    /// Stays for good, in a form that names nobody: an opt-out (`opt_outs`), as a keyed hash.
    std::vector<std::string> kept = {};
    /// Could not be erased yet. What finds it again is still there: call `forget` again.
    std::vector<std::string> not_yet = {};

    bool complete() const noexcept { return not_yet.empty(); }
};

/// Options of Customers.
struct CustomersOptions {
    /// Part of every key. As that of the window and the opt-outs that it serves.
    TextField scope = {};
    /// What `key` and the hashes of forgotten opt-outs are made with: 32 random bytes, kept like a
    /// password, the same in every process and for good. With another, keys are others and the
    /// opt-outs of forgotten customers are lost. Empty: one is made, and kept in the store under
    /// `customer-key`; then who has the store can find out whose number a hash is, and a
    /// MemoryStore makes another for each run.
    Secret key = {};
    /// Whether a Brazilian mobile number (whose subscriber number began with 6 to 9 before the
    /// ninth digit came) is the same with and without its ninth digit.
    bool brazil_ninth_digit = false;
    /// Whether an Argentinian number is the same with and without the 9 after +54.
    bool argentina_nine = false;
    /// How long a link is kept that nothing has confirmed. One that an opt-out depends on is kept
    /// for good.
    std::chrono::milliseconds kept{std::chrono::hours{365 * 24}};
    /// Told of numbers that change hands.
    std::shared_ptr<Observer> observer = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// Knows which addresses are one customer's. WhatsApp users may hide their number: a customer then
/// comes by number first and by user id later, or under an id that a number is found for one day.
/// Give one to ConversationWindow, OptOuts and WebhookHandler, and what is known under any address
/// of a customer holds for all of them. Thread-safe.
///
/// Links are learnt from signed webhooks that name a number and an id (or a parent id, that of
/// linked portfolios), for each sender by itself, since ids belong to a portfolio. Records stay
/// under the address that they came with. Links only grow; who asks reads all linked addresses and
/// joins by time, so that neither the order of events nor a race of processes matters.
///
/// A number names one id at a time. When it appears with another, it has changed hands: from then
/// on it is the other's, and the two ids have nothing in common. An opt-out that is kept under the
/// number holds until START.
///
/// `+52...` and `+521...` count as one Mexican number; for Brazil and Argentina there are switches.
/// SMS addresses are not linked. Errors of all methods: those of the store, and InvalidRequestError
/// for an address that is none.
class TWILIOWA_EXPORT Customers {
public:
    /// @throws InvalidRequestError if `store` is null or a duration is not positive.
    explicit Customers(std::shared_ptr<Store> store, CustomersOptions options = {});
    ~Customers();
    Customers(const Customers&) = delete;
    Customers& operator=(const Customers&) = delete;

    /// A signed webhook of `sender`'s named these addresses of one customer: a number, an id, a
    /// parent id; fewer than two, and nothing is learnt. Empty ones are passed over.
    /// @param at  when. Default, and latest: now.
    Result<CustomerNews> learn(const Sender& sender, std::span<const Address> addresses,
                               std::optional<TimePoint> at = {}) const;

    /// Who is behind an address, for `sender`. One operation of the store; none for SMS.
    Result<LinkedCustomer> linked(const Sender& sender, const Address& address) const;
    Result<LinkedCustomer> linked(std::string_view sender, std::string_view address) const;
    /// The same for several senders, in their order, still in one operation. An empty one knows of
    /// no links.
    Result<std::vector<LinkedCustomer>> linked(std::span<const Sender> senders,
                                               const Address& address) const;

    /// A text that stands for the address in a program's own tables: 64 hexadecimal digits, from
    /// which nobody who lacks CustomersOptions::key can tell the number. The same for both ways of
    /// writing one number. Each address has its own, always the same; for the rows of a customer
    /// take those of all linked addresses.
    Result<std::string> key(const Address& address) const;
    Result<std::string> key(std::string_view address) const;

    /// Erases what is kept about the customer behind `address`: in every part, and the links. An
    /// opt-out stays, as a keyed hash that only OptOuts can ask: a message to who said STOP would
    /// be a fault, and who asks to be forgotten has not said START. Parts are those of this
    /// process.
    Result<ForgetReport> forget(const Address& address) const;
    Result<ForgetReport> forget(std::string_view address) const;

    /// The same data as JSON text: an object with `addresses`, `links`, and an array for each part
    /// by its name. Holds phone numbers.
    Result<std::string> export_of(const Address& address) const;
    Result<std::string> export_of(std::string_view address) const;

    // ---- For parts that keep something about customers.

    /// From now on `forget` and `export_of` ask `part`, as long as it lives.
    void add_part(const std::shared_ptr<const PersonalData>& part) const;
    /// Something is about to be kept of `address` and `sender`; `forget` finds it by this, or by
    /// `PersonalData::senders_of`. One read, and a write about once in `kept`. Of the senders of
    /// one customer, 40 are noted.
    /// @param kept  how long it will be kept; at most `Store::forever`.
    Result<void> note(const Sender& sender, const Address& address,
                      std::chrono::milliseconds kept) const;
    /// What holds for `address` must not be lost with a link: keeps its links for good.
    Result<void> pin(const Sender& sender, const Address& address) const;
    /// CustomersOptions::scope.
    const std::string& scope() const noexcept;
    /// The address in the way that stands for both ways of writing its number.
    Address canonical(const Address& address) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace twiliowa
