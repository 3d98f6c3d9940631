/// @file
/// Where each message is in its life, whatever order its callbacks arrive in.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What is known of a message.
struct TrackedStatus {
    MessageStatus status = {};
    int error_code = 0;    ///< What came with that status; 0 when nothing did.
    bool changed = false;  ///< Whether this update changed it. False from `current`.
};

/// Options of StatusTracker.
struct StatusTrackerOptions {
    /// How long a message is remembered after its status last changed.
    std::chrono::milliseconds kept{std::chrono::hours{7 * 24}};
};

/// The place of a status in the order that StatusTracker goes by:
///
///     receiving < received < scheduled < accepted < queued < sending < sent
///         < (a word this version does not know) < canceled < failed < undelivered
///         < partially_delivered < delivered < read
///
/// The first two occur on inbound messages only. Failure outranks progress. Arrival outranks
/// failure (a receipt proves it, while a failure may be reported of one try or one device); Twilio
/// does not report both of a message. A word that Twilio adds later is news after `sent`, and is
/// overruled by every end that is known.
TWILIOWA_EXPORT int status_rank(const MessageStatus& status) noexcept;

/// Keeps the furthest status reported of each message. Callbacks come late, twice and out of order;
/// the state is the maximum of all that was reported, by (status_rank, the word, error code), so
/// every order and repetition ends in the same state, and so do several trackers on one store.
/// Thread-safe.
class TWILIOWA_EXPORT StatusTracker {
public:
    /// @throws InvalidRequestError if `store` is null or a duration is not positive.
    explicit StatusTracker(std::shared_ptr<Store> store, StatusTrackerOptions options = {});

    /// Takes in a report; returns what is known after it. Errors: those of the store;
    /// InvalidRequestError if `status` is empty.
    Result<TrackedStatus> update(std::string_view account_sid, std::string_view message_sid,
                                 const MessageStatus& status, int error_code = 0) const;

    /// What is known, or nullopt if nothing was reported (or it is too long ago).
    Result<std::optional<TrackedStatus>> current(std::string_view account_sid,
                                                 std::string_view message_sid) const;

private:
    std::shared_ptr<Store> store_;
    StatusTrackerOptions options_;
};

}  // namespace twiliowa
