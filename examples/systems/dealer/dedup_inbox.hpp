// The inbox, with a memory in Redis in front of it: what came within the last hour is known there
// to all processes, and a duplicate costs the disk nothing.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include <twiliowa/inbox.hpp>
#include <twiliowa/redis/redis_store.hpp>
#include <twiliowa/state/dedup_store.hpp>

#include "telemetry.hpp"

namespace dealer {

/// Redis may forget, and be away: the file below decides then, and always before something is said
/// to be handled. Thread-safe.
class DedupInbox final : public twiliowa::Inbox {
public:
    static constexpr std::chrono::hours kept{1};

    DedupInbox(std::shared_ptr<twiliowa::Inbox> inbox,
               std::shared_ptr<twiliowa::RedisConnection> redis, Telemetry& telemetry);

    twiliowa::Result<twiliowa::InboxLook> look(const twiliowa::EventKey& key) override;
    twiliowa::Result<twiliowa::InboxAnswer> take(const twiliowa::InboxDelivery& delivery) override;
    bool can_reply() const noexcept override { return inbox_->can_reply(); }
    bool is_running() const noexcept override { return inbox_->is_running(); }
    twiliowa::Result<void> attach(twiliowa::InboxHandler& handler) override {
        return inbox_->attach(handler);
    }
    void detach(twiliowa::InboxHandler& handler) noexcept override { inbox_->detach(handler); }

private:
    void heard(const twiliowa::Error* problem);

    std::shared_ptr<twiliowa::Inbox> inbox_;
    const twiliowa::DedupStore memory_;
    Telemetry& telemetry_;
    std::mutex mutex_ = {};
    std::optional<bool> is_there_ = {};
};

}  // namespace dealer
