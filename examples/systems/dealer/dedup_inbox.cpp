#include "dedup_inbox.hpp"

#include <utility>

#include <twiliowa/types/error.hpp>

namespace dealer {

namespace wa = twiliowa;

DedupInbox::DedupInbox(std::shared_ptr<wa::Inbox> inbox, std::shared_ptr<wa::RedisConnection> redis,
                       Telemetry& telemetry)
    : inbox_(std::move(inbox)), redis_(std::move(redis)), telemetry_(telemetry) {
    memory();
}

std::shared_ptr<const wa::DedupStore> DedupInbox::memory() {
    const std::lock_guard lock{mutex_};
    if (memory_) return memory_;
    try {
        // A webhook does not wait long for what only saves work.
        auto store = std::make_shared<wa::RedisStore>(
            redis_,
            wa::RedisStoreOptions{.prefix = "dealer:", .timeout = std::chrono::milliseconds{200}});
        memory_ = std::make_shared<const wa::DedupStore>(
            std::move(store), wa::DedupOptions{.lease = std::chrono::seconds{10}, .kept = kept});
        heard(nullptr);
    } catch (const wa::TransportError& error) {
        heard(&error.error());
    }
    return memory_;
}

void DedupInbox::heard(const wa::Error* problem) {
    const bool is_there = problem == nullptr;
    if (is_there_ == is_there) return;
    is_there_ = is_there;
    telemetry_.set("dealer_redis_up", is_there ? 1 : 0);
    telemetry_.line(is_there ? "Redis is there" : "Redis is away",
                    {{"problem", is_there ? std::string{} : problem->what()}});
}

wa::Result<wa::InboxAnswer> DedupInbox::look(const wa::EventKey& key) {
    const auto known = memory();
    // What is read from Twilio's list has no signature; it comes to make good what a file has lost.
    if (!known || key.signature.empty()) return inbox_->look(key);
    const auto looked = known->look(key);
    {
        const std::lock_guard lock{mutex_};
        heard(looked ? nullptr : &looked.error());
    }
    if (looked && *looked == wa::ClaimOutcome::done) return wa::InboxAnswer::duplicate;
    if (looked && *looked == wa::ClaimOutcome::recut) return wa::InboxAnswer::recut;
    return inbox_->look(key);
}

wa::Result<wa::InboxAnswer> DedupInbox::take(const wa::InboxDelivery& delivery) {
    auto answer = inbox_->take(delivery);
    const bool is_on_disk =
        answer && (*answer == wa::InboxAnswer::taken || *answer == wa::InboxAnswer::duplicate);
    if (const auto known = is_on_disk ? memory() : nullptr) {
        // If it cannot be noted there, or another notes it, the file knows it all the same.
        if (const auto claim = known->claim(delivery.key)) {
            static_cast<void>(known->finish(*claim));
        }
    }
    return answer;
}

}  // namespace dealer
