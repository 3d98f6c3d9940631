/// @file
/// Where consents are kept: `ConsentStorage`, the interface, and `MemoryConsents`, for tests.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What somebody did with their consent.
enum class ConsentChange { granted = 0, withdrawn = 1 };

/// A change of somebody's consent, as it is kept.
struct ConsentRecord {
    std::string person = {};  ///< Names nobody: made by Consents. Any bytes, 1 to 512.
    /// Up to 64 bytes; empty, of what was withdrawn: for all purposes.
    std::string purpose = {};
    ConsentChange change = ConsentChange::granted;
    TimePoint at = {};        ///< To the microsecond.
    std::string source = {};  ///< Where it came from: any bytes, up to 1024; may be sealed.

    friend bool operator==(const ConsentRecord&, const ConsentRecord&) = default;
};

/// What is asked of a person.
struct ConsentQuestion {
    std::string person = {};
    std::string purpose = {};
    TimePoint granted_since = (TimePoint::min)();    ///< Grants before it do not count.
    TimePoint withdrawn_since = (TimePoint::min)();  ///< Withdrawals before it do not count.
    TimePoint before = (TimePoint::max)();           ///< Nothing counts that is not before it.
};

/// When a person last granted it, and last withdrew it: for that purpose, or for all.
struct ConsentAnswer {
    std::optional<TimePoint> granted = {};
    std::optional<TimePoint> withdrawn = {};

    friend bool operator==(const ConsentAnswer&, const ConsentAnswer&) = default;
};

/// What `ConsentStorage::forget` did.
struct ForgottenConsents {
    std::size_t erased = 0;
    std::size_t kept = 0;  ///< Withdrawals, without their source.
};

/// Keeps every change of consent, as the proof that it is. `Consents` knows whose they are. The
/// contract, which `testing::check_consent_storage` looks at:
///
/// - A record is known by person, purpose, change and time, and is kept once; the source is that of
///   the first. Records are never changed, and go with `forget` alone.
/// - Each operation is atomic, and what it has answered survives the process (except in a
///   MemoryConsents).
/// - Persons and sources are opaque bytes. An operation that cannot be carried out answers
///   `store_error`, without persons and sources, and throws nothing. One whose answer was lost may
///   have happened: it may be repeated.
/// - Safe to call from any thread. Calls may block.
class TWILIOWA_EXPORT ConsentStorage {
public:
    virtual ~ConsentStorage() = default;

    /// Adds those that are new, and says how many they were. All or none.
    virtual Result<std::size_t> add(std::span<const ConsentRecord> records) = 0;

    /// The answers, in the order of the questions: in one statement for each 1000.
    virtual Result<std::vector<ConsentAnswer>> latest(
        std::span<const ConsentQuestion> questions) = 0;

    /// All that is known of a person, oldest first; of the same time, the withdrawal last.
    virtual Result<std::vector<ConsentRecord>> history(std::string_view person) = 0;

    /// Erases what is known of a person in `since <= at < before`; but the last withdrawal of each
    /// purpose stays, without its source, unless a grant of that purpose came after it.
    virtual Result<ForgottenConsents> forget(std::string_view person, TimePoint since,
                                             TimePoint before) = 0;
};

/// Consents in this process's memory: lost with it, so for tests alone. Thread-safe.
class TWILIOWA_EXPORT MemoryConsents final : public ConsentStorage {
public:
    MemoryConsents();
    MemoryConsents(const MemoryConsents&) = delete;
    MemoryConsents& operator=(const MemoryConsents&) = delete;
    ~MemoryConsents() override;

    Result<std::size_t> add(std::span<const ConsentRecord> records) override;
    Result<std::vector<ConsentAnswer>> latest(std::span<const ConsentQuestion> questions) override;
    Result<std::vector<ConsentRecord>> history(std::string_view person) override;
    Result<ForgottenConsents> forget(std::string_view person, TimePoint since,
                                     TimePoint before) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
