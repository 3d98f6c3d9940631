/// @file
/// Where quotas are counted: `QuotaStorage`, the interface, and `MemoryQuotas`, for one process.
#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// A window of a quota at one time: this minute, this month. Amounts are in thousandths.
struct QuotaSlot {
    /// More than any limit, cost and sum; a double has it exactly, and so has Lua.
    static constexpr std::int64_t no_limit = 9'000'000'000'000'000;
    /// The largest limit, and the largest cost: a thousand million whole ones.
    static constexpr std::int64_t most = 1'000'000'000'000;

    std::int64_t period = 0;        ///< Its length in seconds; 0: a calendar month.
    TimePoint begin = {};           ///< In whole seconds.
    TimePoint end = {};             ///< In whole seconds; the first time after it.
    std::int64_t limit = no_limit;  ///< 0 to `most`, or `no_limit`.
    TimePoint keep_until = {};      ///< Its count may be forgotten then, not before.
};

/// How much: whole ones, or thousandths of one. `QuotaAmount{3}` is three, as is `3` where one is
/// expected; 1.2 is `QuotaAmount::thousandths(1'200)`. A `double` is no amount.
class QuotaAmount {
public:
    constexpr QuotaAmount() = default;
    /// Whole ones. More than can be counted is refused where it is used.
    template <std::integral Integer>
    constexpr QuotaAmount(Integer whole) noexcept
        : thousandths_(std::cmp_greater(whole, QuotaSlot::most) ? QuotaSlot::no_limit
                       : std::cmp_less(whole, -QuotaSlot::most)
                           ? -QuotaSlot::no_limit
                           : static_cast<std::int64_t>(whole) * 1'000) {}
    /// So many thousandths of one.
    static constexpr QuotaAmount thousandths(std::int64_t count) noexcept {
        QuotaAmount amount;
        amount.thousandths_ = count;
        return amount;
    }
    /// How many thousandths it is.
    constexpr std::int64_t thousandths() const noexcept { return thousandths_; }
    /// `3`, `1.2`, `0.005`
    TWILIOWA_EXPORT std::string text() const;
    /// By how much they are.
    friend constexpr auto operator<=>(const QuotaAmount&,
                                      const QuotaAmount&) = default;  // NOLINT: no pointer

private:
    std::int64_t thousandths_ = 0;
};

/// What is to be taken for a send. The views are valid during the call.
struct QuotaRequest {
    std::string_view quota = {};                ///< The key of the quota: any bytes, 1 to 256.
    std::string_view send = {};                 ///< The key of the send: any bytes, 1 to 256.
    std::int64_t cost = 0;                      ///< 1 to QuotaSlot::most.
    std::chrono::milliseconds lapses_after{0};  ///< If nobody settles it.
    std::chrono::milliseconds remembered{0};    ///< The send's key, after that or after its end.
    std::vector<QuotaSlot> time_slots = {};     ///< 1 to 9, no two of one period.
};

/// What a storage has counted in a slot.
struct QuotaCount {
    std::int64_t period = 0;       ///< The slot's.
    TimePoint begin = {};          ///< The slot's.
    std::int64_t used = 0;         ///< With what is reserved and not settled.
    std::int64_t open = 0;         ///< What is reserved and not settled.
    std::int64_t peak = 0;         ///< The most that `used` was; its limit, once it has refused.
    std::int64_t peak_before = 0;  ///< The same before this operation.
};

/// What became of a request.
enum class QuotaTaken {
    taken,         ///< It is counted in all slots.
    taken_before,  ///< It was, under this key; nothing has changed.
    refused,       ///< It did not fit into one of the slots; nothing is counted in any.
    other_time,    ///< The storage's time is in another slot; nothing was looked at.
};

/// The answer to a request.
struct QuotaReply {
    QuotaTaken taken = QuotaTaken::refused;  ///< What became of it.
    TimePoint now = {};                      ///< The storage's time, as it counted.
    std::vector<QuotaCount> counts = {};     ///< Of each slot, in their order; none of other_time.
};

/// How a reservation ended.
enum class QuotaEnd {
    done,          ///< Now.
    ended_before,  ///< It was settled before; nothing has changed.
    not_found,     ///< There is none of that key: never, or given back, or long ago.
};

/// The answer to a settlement.
struct QuotaSettlement {
    QuotaEnd end = QuotaEnd::not_found;   ///< How the reservation ended.
    TimePoint now = {};                   ///< The storage's time.
    std::vector<QuotaCount> counts = {};  ///< Of the slots that it was taken from; in no order.
};

/// Counts what is used of quotas. `Quotas` knows the windows and asks; this counts, by its own
/// time, atomically. The contract, which `testing::check_quota_storage` looks at:
///
/// - Each operation is atomic for its quota, over all slots, whoever else runs one, in this process
///   or another. Quotas have nothing in common.
/// - `reserve` counts in each slot, or in none: where `used + cost` would be more than a `limit`,
///   it refuses. Of the slots that refuse what they could hold when empty, `peak` becomes at least
///   the limit.
/// - A reservation that lapses is no longer counted, in `open` and `used`, from the next operation
///   of its quota on. `settle` counts it all the same: in the slots that it was taken from.
/// - The storage's time decides: whether a slot is now, and what has lapsed. Slots that are not all
///   now (`begin <= now < end`) are answered with `other_time`.
/// - What is counted in a slot is kept until `keep_until`, a clock set back or not.
/// - Keys are opaque bytes. An operation that cannot be carried out answers `store_error`, without
///   keys, and throws nothing. One whose answer was lost may have happened: it may be repeated.
/// - Safe to call from any thread. Calls may block.
class TWILIOWA_EXPORT QuotaStorage {
public:
    virtual ~QuotaStorage() = default;

    /// Takes the cost from all slots, or from none. Under a key that is reserved or was settled
    /// nothing is taken again; under one that was given back, or has lapsed, it is.
    virtual Result<QuotaReply> reserve(const QuotaRequest& request) = 0;

    /// What it has cost, 0 to QuotaSlot::most, takes the place of what was reserved. More than that
    /// is counted, even over a limit.
    /// @param remembered  how long the key is, from now
    virtual Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                           std::int64_t actual,
                                           std::chrono::milliseconds remembered) = 0;

    /// Gives back what was reserved, and forgets the key, unless it was settled.
    virtual Result<QuotaEnd> release(std::string_view quota, std::string_view send) = 0;

    /// What is counted in those slots, whether they are now or not; changes nothing but what has
    /// lapsed. `taken` is `refused`.
    virtual Result<QuotaReply> read(std::string_view quota,
                                    const std::vector<QuotaSlot>& time_slots) = 0;

    /// What is counted in the slots of a period that begin in `from <= begin < to`, oldest first;
    /// none where nothing was counted. At most 4000.
    virtual Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                                    TimePoint from, TimePoint to) = 0;
};

/// Options of MemoryQuotas.
struct MemoryQuotasOptions {
    /// How many sends are remembered, at most; one more is refused with an error.
    std::size_t max_sends = 100'000;
    /// Default: the machine's. Its calendar time counts.
    std::shared_ptr<Clock> clock = {};
};

/// Quotas in this process's memory: lost with it, shared with nobody. Thread-safe.
class TWILIOWA_EXPORT MemoryQuotas final : public QuotaStorage {
public:
    /// @throws InvalidRequestError if max_sends is 0.
    explicit MemoryQuotas(MemoryQuotasOptions options = {});
    MemoryQuotas(const MemoryQuotas&) = delete;
    MemoryQuotas& operator=(const MemoryQuotas&) = delete;
    ~MemoryQuotas() override;

    Result<QuotaReply> reserve(const QuotaRequest& request) override;
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual,
                                   std::chrono::milliseconds remembered) override;
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override;
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override;
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
