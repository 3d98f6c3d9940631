/// @file
/// What becomes of a quota's counts: decided here, without storage and clock, for every engine that
/// loads and stores them in a transaction of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quota_storage.hpp>

namespace twiliowa::detail {

/// Microseconds since 1970, as engines keep times.
using QuotaMicros = std::int64_t;

TWILIOWA_EXPORT QuotaMicros quota_micros(TimePoint time) noexcept;
TWILIOWA_EXPORT TimePoint quota_time(QuotaMicros micros) noexcept;
/// `wait` later, as far as can be counted.
QuotaMicros quota_later(QuotaMicros now, std::chrono::milliseconds wait) noexcept;

/// As they are kept: do not change the numbers.
enum class QuotaSendState : std::int64_t { open = 0, settled = 1, lapsed = 2 };

/// A slot's place among the counts of its quota.
struct QuotaPlace {
    std::int64_t period = 0;
    QuotaMicros begin = 0;
    friend auto operator<=>(const QuotaPlace&, const QuotaPlace&) = default;  // NOLINT: no pointer
};

/// The record of a send.
struct QuotaSend {
    QuotaSendState state = QuotaSendState::open;
    std::int64_t cost = 0;
    QuotaMicros lapses_at = 0;
    QuotaMicros forget_at = 0;  ///< Once it is not open.
    std::vector<QuotaPlace> places = {};
};

/// The record of a slot.
struct QuotaTally {
    QuotaPlace place = {};
    std::int64_t used = 0;
    std::int64_t open = 0;
    std::int64_t peak = 0;
    QuotaMicros keep_until = 0;
};

/// What a transaction has loaded, once what has lapsed was given back.
struct QuotaPage {
    QuotaMicros now = 0;
    std::optional<QuotaSend> send = {};
    /// Of the places that were asked for, and of the send's; those that are missing are 0.
    std::vector<QuotaTally> tallies = {};
};

/// What it is to store.
struct QuotaChange {
    std::vector<QuotaTally> tallies = {};  ///< As they are now.
    bool erase_send = false;
    std::optional<QuotaSend> send = {};  ///< As it is now.
    bool empty() const noexcept { return tallies.empty() && !erase_send && !send; }
};

template <class Answer>
struct QuotaDecision {
    Answer answer = {};
    QuotaChange change = {};
};

/// Who has a quota to itself, for as long as the transaction goes on.
class TWILIOWA_EXPORT QuotaDesk {
public:
    virtual ~QuotaDesk() = default;
    /// Gives back what has lapsed, and loads. Without a send's key: none.
    virtual Result<QuotaPage> load(std::string_view quota, std::string_view send,
                                   const std::vector<QuotaPlace>& places) = 0;
    virtual Result<void> store(std::string_view quota, std::string_view send,
                               const QuotaChange& change) = 0;
};

TWILIOWA_EXPORT QuotaDecision<QuotaReply> decide_quota_reserve(const QuotaPage& page,
                                                               const QuotaRequest& request);
QuotaDecision<QuotaSettlement> decide_quota_settle(const QuotaPage& page, std::int64_t actual,
                                                   std::chrono::milliseconds remembered);
QuotaDecision<QuotaEnd> decide_quota_release(const QuotaPage& page);

/// What an open reservation no longer counts.
void give_back_lapsed(QuotaTally& tally, std::int64_t cost) noexcept;

/// Whole operations, for who holds the transaction.
TWILIOWA_EXPORT Result<QuotaReply> reserve_quota(QuotaDesk& desk, const QuotaRequest& request);
TWILIOWA_EXPORT Result<QuotaSettlement> settle_quota(QuotaDesk& desk, std::string_view quota,
                                                     std::string_view send, std::int64_t actual,
                                                     std::chrono::milliseconds remembered);
TWILIOWA_EXPORT Result<QuotaEnd> release_quota(QuotaDesk& desk, std::string_view quota,
                                               std::string_view send);
TWILIOWA_EXPORT Result<QuotaReply> read_quota(QuotaDesk& desk, std::string_view quota,
                                              const std::vector<QuotaSlot>& time_slots);

/// What a storage refuses before it asks: a key that is empty or too long, a cost or a slot that
/// cannot be.
TWILIOWA_EXPORT Result<void> check_quota_request(const QuotaRequest& request);
TWILIOWA_EXPORT Result<void> check_quota_keys(std::string_view quota, std::string_view send);
TWILIOWA_EXPORT Result<void> check_quota_actual(std::int64_t actual);
TWILIOWA_EXPORT Result<void> check_quota_slots(const std::vector<QuotaSlot>& time_slots);

/// Rows that `history` gives at most.
inline constexpr std::int64_t most_quota_history = 4'000;

}  // namespace twiliowa::detail
