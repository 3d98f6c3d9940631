/// @file
/// Who has agreed to get which messages, when, and how that is known.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/consent_storage.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sender.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// The purposes that WhatsApp's categories of templates have. Others may be named: up to 64 lower
/// case letters, digits, `_` and `-`.
namespace consent_purpose {
inline constexpr std::string_view marketing = "marketing";
inline constexpr std::string_view utility = "utility";
}  // namespace consent_purpose

/// Options of Consents.
struct ConsentsOptions {
    /// Seals the texts that say where consents came from. Without one they are kept as they are.
    std::optional<Sealer> sealer = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// A consent that somebody gave.
struct Consent {
    std::string_view purpose = consent_purpose::marketing;
    /// Default: now. Not later.
    std::optional<TimePoint> at = {};
    /// Your words for how that is known, `web form 2026-11, order 4711`: UTF-8, up to 200 bytes. It
    /// is proof, so say where it can be found.
    std::string_view source = {};

    /// A time as files of consents have it: `2026-11-30`, which is its beginning in UTC, or
    /// `2026-11-30T08:15:00Z`. Errors: InvalidRequestError of that field.
    TWILIOWA_EXPORT static Result<TimePoint> parse_time(std::string_view text,
                                                        std::string_view field = "at");
};

/// A consent, and whose it is.
struct GivenConsent {
    Address recipient = {};  ///< Whose.
    Consent consent = {};    ///< To what.
};

/// A change of a customer's consent.
struct ConsentEvent {
    Address address = {};      ///< Under which it is kept.
    std::string purpose = {};  ///< Empty: it was withdrawn for all purposes.
    ConsentChange change = ConsentChange::granted;
    TimePoint at = {};
    std::string source = {};

    friend bool operator==(const ConsentEvent&, const ConsentEvent&) = default;
};

/// How a file of consents is read. Names are those of its first line.
struct ConsentImportOptions {
    std::string_view purpose = consent_purpose::marketing;
    TextField to = "to";                  ///< The column of the recipients.
    TextField at = "consent_at";          ///< Of the times: `2026-11-30`, `2026-11-30T08:15:00Z`.
    TextField source = "consent_source";  ///< Of the sources; may be absent.
};

/// A row that was not taken.
struct RefusedConsent {
    std::size_t line = 0;      ///< Of the file, from 1: where the row begins.
    std::string problem = {};  ///< Without what the row holds.
};

/// What became of a file of consents.
struct ConsentImport {
    std::size_t rows = 0;     ///< Without the first line, and empty ones.
    std::size_t added = 0;    ///< Are new.
    std::size_t known = 0;    ///< Were there before.
    std::size_t without = 0;  ///< Say of no consent: the time is empty.
    std::size_t refused = 0;  ///< Are no consents; the first 100 of them are in `faults`.
    std::vector<RefusedConsent> faults = {};
};

/// Remembers who has agreed to what, with its history as proof: granted, withdrawn, granted again.
///
/// @code
/// consents.grant(sender, customer, {.purpose = "marketing", .source = "till 4, signed slip"});
/// if (!consents.has(sender, customer, "marketing").value()) return;
/// @endcode
///
/// As with OptOuts, what is known is known of (sender, recipient), the sender may be a messaging
/// service, and what is known under any address of a customer holds for all of them. The time of a
/// change counts, not when it was told: a grant of yesterday that is told today does not undo a
/// withdrawal of this morning. Of the same time, the withdrawal counts.
///
/// A consent is given by `grant`, or from a file, and by nothing else: neither a START nor an
/// inbound message is one. It is withdrawn by `withdraw`, and by what OptOuts learns, if it is told
/// of this: OptOutOptions::consents.
///
/// Addresses are kept as keyed hashes (`Customers::key`). `Customers::forget` erases the history;
/// what is withdrawn stays withdrawn, without its source. `Customers::export_of` has it all.
///
/// Copies share everything. Thread-safe. Errors of all methods: those of the storage and of the
/// customers' store (`store_error`), of the sealer, and InvalidRequestError for what was given.
class TWILIOWA_EXPORT Consents {
public:
    /// @throws InvalidRequestError if `storage` or `customers` is null.
    explicit Consents(std::shared_ptr<ConsentStorage> storage,
                      std::shared_ptr<const Customers> customers, ConsentsOptions options = {});

    /// Says whether it is new; given twice, it is kept once.
    Result<bool> grant(const Sender& sender, const Address& recipient,
                       const Consent& consent) const;
    Result<bool> grant(std::string_view sender, std::string_view recipient,
                       const Consent& consent) const;
    /// Several in one statement for each 1000: all of these, or none. Returns how many are new.
    Result<std::size_t> grant_each(const Sender& sender,
                                   std::span<const GivenConsent> consents) const;
    /// @param purpose  empty: for all, those too that nobody has thought of yet.
    /// @param at  since when. Default, and latest: now.
    /// @param source  as Consent::source.
    Result<bool> withdraw(const Sender& sender, const Address& recipient,
                          std::string_view purpose = {}, std::optional<TimePoint> at = {},
                          std::string_view source = {}) const;
    Result<bool> withdraw(std::string_view sender, std::string_view recipient,
                          std::string_view purpose = {}, std::optional<TimePoint> at = {},
                          std::string_view source = {}) const;

    /// Whether there is a consent now.
    Result<bool> has(const Sender& sender, const Address& recipient,
                     std::string_view purpose) const;
    Result<bool> has(std::string_view sender, std::string_view recipient,
                     std::string_view purpose) const;
    /// For who has asked `Customers::linked` already.
    Result<bool> has(const Sender& sender, const LinkedCustomer& recipient,
                     std::string_view purpose) const;
    /// Of many, in their order: one statement for each 1000 addresses. Links are read one by one.
    Result<std::vector<bool>> has_each(const Sender& sender, std::span<const Address> recipients,
                                       std::string_view purpose) const;

    /// All that is known of a customer, oldest first.
    Result<std::vector<ConsentEvent>> history(const Sender& sender, const Address& recipient) const;
    Result<std::vector<ConsentEvent>> history(std::string_view sender,
                                              std::string_view recipient) const;

    /// Takes consents from a file of comma-separated values (RFC 4180, UTF-8) whose first line
    /// names the columns. Read in pieces of 1000 rows: a file may be of any size, and may be read
    /// again, wholly or after a failure. A row with a fault is passed over, and named. An error, of
    /// the storage or of a first line without the columns, ends it; what was read before is kept.
    Result<ConsentImport> import_csv(const Sender& sender, std::istream& csv,
                                     const ConsentImportOptions& options = {}) const;

    /// Never null.
    const std::shared_ptr<const Customers>& customers() const noexcept;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

}  // namespace twiliowa
