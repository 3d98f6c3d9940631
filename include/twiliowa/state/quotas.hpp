/// @file
/// Quotas: how much may be sent for a tenant (or any key) in a minute, a day, a month.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// So much in each stretch of time. Windows are fixed: minutes, hours and days begin with UTC's,
/// months with the first day of the month in UTC, and what was not used does not carry over. So
/// around a full minute twice a minute's worth may go within seconds. Several windows hold at once.
struct QuotaWindow {
    /// In each minute; none of a plan.
    static QuotaWindow per_minute(QuotaAmount limit) { return {std::chrono::seconds{60}, limit}; }
    /// In each hour; none of a plan.
    static QuotaWindow per_hour(QuotaAmount limit) { return {std::chrono::seconds{3'600}, limit}; }
    /// On each day; of a plan.
    static QuotaWindow per_day(QuotaAmount limit) {
        return {std::chrono::seconds{86'400}, limit, true};
    }
    /// In each month; of a plan.
    static QuotaWindow per_month(QuotaAmount limit) {
        return {std::chrono::seconds{0}, limit, true};
    }

    /// Up to 366 days, counted from 1970; 0: a calendar month.
    std::chrono::seconds period{60};
    /// 0: nothing may go.
    QuotaAmount limit = {};
    /// Of what was bought, so that waiting is no answer: a refusal is a 402 and not a 429, and
    /// where there are two storages it is counted in the one for plans.
    bool is_plan = false;

    /// `minute`, `hour`, `day`, `month`, or `90 s`; of a budget without an end `all`.
    TWILIOWA_EXPORT std::string name() const;
};

/// A send on whose account.
struct QuotaCharge {
    /// The key of the quota: the tenant. It is told to the observer: choose one that is not
    /// personal. 1 to 256 bytes.
    std::string quota = {};
    /// The key of the send, by which it is counted once; of its own for each send. 1 to 256 bytes.
    std::string send = {};
    /// What is reserved: the most that the send can cost. More than 0.
    QuotaAmount cost = 1;
};

/// How a window of a quota stands.
struct QuotaState {
    QuotaWindow window = {};    ///< Which one.
    QuotaAmount used = {};      ///< With what is reserved and not settled.
    QuotaAmount reserved = {};  ///< What is reserved and not settled.
    QuotaAmount left = {};      ///< Never negative.
    TimePoint began = {};       ///< The present one.
    TimePoint renews = {};      ///< When the next one begins.
    bool refused = false;       ///< What was asked for did not fit into it.
};

/// Whether a send may go.
struct QuotaAnswer {
    bool granted = false;  ///< It may go, and is reserved.
    /// It was granted under the same key before, and nothing was counted again.
    bool granted_before = false;
    /// How they stand now. Where there are two storages, a refusal has those of the one that
    /// refused.
    std::vector<QuotaState> windows = {};
    /// When it may go, from now, where it is enough to wait; in whole seconds, for Retry-After.
    std::optional<std::chrono::seconds> retry_after = {};

    /// What a service answers to who asked it to send: 200 if it is granted; 429 if it may go after
    /// `retry_after`; 402 if it takes a larger plan, or the next day or month.
    TWILIOWA_EXPORT int http_status() const noexcept;
    /// The window that refused: of a plan, if one of those did. Null if it is granted.
    TWILIOWA_EXPORT const QuotaState* refused_by() const noexcept;
    /// The refusal as an error: InvalidRequestError, field "quota"; with `retry_after`, if there is
    /// one. Only of what is refused.
    TWILIOWA_EXPORT Error error() const;
};

/// Whether `error` is a quota's refusal.
TWILIOWA_EXPORT bool is_quota_error(const Error& error) noexcept;
/// What a service answers to who asked it to send: 402 or 429, as QuotaAnswer::http_status; 0 if
/// the error is not a quota's refusal.
TWILIOWA_EXPORT int quota_http_status(const Error& error) noexcept;

/// What was used on a day.
struct QuotaDay {
    TimePoint day = {};         ///< Its beginning, in UTC.
    QuotaAmount used = {};      ///< With what is reserved and not settled.
    QuotaAmount reserved = {};  ///< What is reserved and not settled.
};

/// Options of Quotas.
struct QuotasOptions {
    /// Of every quota, unless `windows_of` says otherwise: 1 to 8, no two of one period. A limit
    /// may be changed at any time, and holds from then on; what was counted stays.
    std::vector<QuotaWindow> windows = {};
    /// The windows of a quota, where they differ: its plan. Called for each reservation, in its
    /// thread; must be thread-safe. Its error is the reservation's, and nothing is sent.
    std::function<Result<std::vector<QuotaWindow>>(std::string_view quota)> windows_of = {};
    /// A reservation that nobody has settled or given back is given back then. Longer than any send
    /// takes: one that is settled later is counted all the same, and perhaps over the limit.
    std::chrono::milliseconds lapse_after = std::chrono::minutes{10};
    /// How long the key of a send that has ended is known, so that it is not counted again.
    std::chrono::milliseconds remember = std::chrono::hours{24};
    /// How long the usage by day, and what was counted of plans, can be read.
    std::chrono::milliseconds keep_usage = std::chrono::hours{24 * 400};
    /// In percent of a window's limit, 1 to 100: told when it is reached, once in each window.
    std::vector<int> warn_at = {80, 100};
    /// Who is told. That is decided where it is counted, so that of many processes one tells; one
    /// that dies right then does not.
    std::shared_ptr<Observer> observer = {};
    /// Default: the machine's. The storage's time counts; this one only guesses it.
    std::shared_ptr<Clock> clock = {};
};

/// Quotas of tenants: several windows at once, each send counted once, never over any limit.
///
/// @code
/// const auto answer = quotas.reserve({.quota = "org-17", .send = request_id}).value();
/// if (!answer.granted) return respond(answer.http_status(), answer.retry_after);
/// @endcode
///
/// Reserve before the send, then settle at what it has cost, or release if nothing was sent: that
/// is what `send_within` does around a call. A send whose outcome is unknown is settled. All three
/// may be repeated, by the key of the send, and are then carried out once; calls for one key must
/// not overlap. What may go into a window is decided by what is used and reserved together: never
/// over any limit, at worst under by what is in flight. Over the limit leads only to settle more
/// than was reserved, or what has lapsed: the message is out, and is counted.
///
/// With one storage all windows are counted in one atomic step. With two, those that are not of
/// plans are counted in the one for rates: it is asked first, and given back if the other refuses
/// or fails.
///
/// Closed when it fails: without the storage, the error of the storage is the answer, and nothing
/// is to be sent.
///
/// Copies share everything. Thread-safe.
class TWILIOWA_EXPORT Quotas {
public:
    /// @param plans  where windows are counted: those of plans, and the others if there is no
    ///     `rates`; the usage by day. For a service of several processes, an SQL database.
    /// @param rates  where those that are not of plans are counted: a Redis. May be null.
    /// @throws InvalidRequestError if there is no storage, or an option is wrong.
    explicit Quotas(std::shared_ptr<QuotaStorage> plans, QuotasOptions options,
                    std::shared_ptr<QuotaStorage> rates = {});

    /// Whether a send of that cost may go; reserves it if so. A refusal is an answer; an error is
    /// one of the storage's (`store_error`), or of what was asked for (InvalidRequestError).
    Result<QuotaAnswer> reserve(const QuotaCharge& charge) const;
    /// It was sent, or may have been: the reserved cost stays counted. Says whether that is new.
    Result<QuotaEnd> settle(const QuotaCharge& charge) const { return settle(charge, charge.cost); }
    /// The same at what it has cost, which may be 0.
    Result<QuotaEnd> settle(const QuotaCharge& charge, QuotaAmount actual) const;
    /// It was not sent, for certain: the reservation is given back.
    Result<QuotaEnd> release(const QuotaCharge& charge) const;
    /// Settles, or releases, by how the send ended: null if it succeeded. Released is what failed
    /// with Effect::none.
    Result<QuotaEnd> conclude(const QuotaCharge& charge, const Error* failure) const;

    /// How the windows of a quota stand: what is left, and when they renew.
    Result<std::vector<QuotaState>> read(std::string_view quota) const;
    /// What was used on each day (UTC) that begins in `from <= day < to`; days on which nothing was
    /// are left out.
    Result<std::vector<QuotaDay>> usage_by_day(std::string_view quota, TimePoint from,
                                               TimePoint to) const;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

/// Sends within a quota: `send`, a function that gives a Result, is called if the charge is
/// granted, and the charge is settled or given back by what became of it. A refusal, and a storage
/// that fails, are errors, and nothing is sent: `quota_http_status` says which it was.
///
///     const auto sent = wa::send_within(quotas, {.quota = "org-17", .send = request_id},
///                                       [&] { return client.try_send_text(message); });
///
/// The answer is the send's, even if the storage fails after it: what is not settled then lapses;
/// `settle` may be repeated. What `send` throws is taken for an unknown outcome, and goes on.
template <class Send>
std::invoke_result_t<Send&> send_within(const Quotas& quotas, const QuotaCharge& charge,
                                        Send&& send) {
    const auto answer = quotas.reserve(charge);
    if (!answer) return answer.error();
    if (!answer->granted) return answer->error();
    try {
        auto sent = send();
        static_cast<void>(quotas.conclude(charge, sent ? nullptr : &sent.error()));
        return sent;
    } catch (...) {
        static_cast<void>(quotas.settle(charge));
        throw;
    }
}

}  // namespace twiliowa
