/// @file
/// An inbox with a memory in front of it that processes share: `DedupInbox`.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <twiliowa/export.hpp>
#include <twiliowa/inbox.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of DedupInbox.
struct DedupInboxOptions {
    /// Told why the memory does not answer any more, and with null that it answers again: when that
    /// changes, and once at the start. By whichever thread takes a webhook in; never by two at
    /// once. It must not throw, nor ask this inbox.
    std::function<void(const Error* problem)> on_change = {};
};

/// A memory in front of an inbox, in a Redis for example: what it knows to be on the inbox's disk
/// costs that disk nothing when it comes again, to whichever process.
///
/// It may forget, and be away: the inbox decides then, and always before an event is said to be
/// taken. What is read from Twilio's list goes past it, since that makes good what a disk has lost.
/// After an inbox was put back to a backup it says of what is gone that it is there, for as long as
/// DedupOptions::kept: keep that short, and let the inbox catch up. Thread-safe.
class TWILIOWA_EXPORT DedupInbox final : public Inbox {
public:
    /// @param inbox   where events are written down, such as a DurableInbox
    /// @param memory  in a store that all processes share
    /// @throws InvalidRequestError if `inbox` is null.
    DedupInbox(std::shared_ptr<Inbox> inbox, DedupStore memory, DedupInboxOptions options = {});

    /// Whether the memory answered when it was last asked.
    bool memory_answers() const;

    Result<InboxLook> look(const EventKey& key) override;
    Result<InboxAnswer> take(const InboxDelivery& delivery) override;
    bool can_reply() const noexcept override { return inbox_->can_reply(); }
    bool is_running() const noexcept override { return inbox_->is_running(); }
    Result<void> attach(InboxHandler& handler) override { return inbox_->attach(handler); }
    void detach(InboxHandler& handler) noexcept override { inbox_->detach(handler); }

private:
    Result<ClaimOutcome> ask(const EventKey& key);

    std::shared_ptr<Inbox> inbox_;
    DedupStore memory_;
    DedupInboxOptions options_;
    mutable std::mutex mutex_ = {};
    std::optional<bool> answers_ = {};
};

}  // namespace twiliowa
