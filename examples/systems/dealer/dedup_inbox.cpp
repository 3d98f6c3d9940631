#include "dedup_inbox.hpp"

#include <utility>

#include <twiliowa/types/error.hpp>

namespace dealer {

namespace wa = twiliowa;

namespace {

std::shared_ptr<wa::RedisStore> store_in(std::shared_ptr<wa::RedisConnection> redis) {
    // A webhook does not wait long for what only saves work.
    return std::make_shared<wa::RedisStore>(
        std::move(redis),
        wa::RedisStoreOptions{.prefix = "dealer:", .timeout = std::chrono::milliseconds{200}});
}

}  // namespace

DedupInbox::DedupInbox(std::shared_ptr<wa::Inbox> inbox, std::shared_ptr<wa::RedisConnection> redis,
                       Telemetry& telemetry)
    : inbox_(std::move(inbox)),
      memory_(store_in(std::move(redis)), {.lease = std::chrono::seconds{10}, .kept = kept}),
      telemetry_(telemetry) {
    // Whether it is there is told from the start.
    const auto looked = memory_.look({});
    heard(looked ? nullptr : &looked.error());
}

void DedupInbox::heard(const wa::Error* problem) {
    const std::lock_guard lock{mutex_};
    const bool is_there = problem == nullptr;
    if (is_there_ == is_there) return;
    is_there_ = is_there;
    telemetry_.set_redis_up(is_there);
    telemetry_.line(is_there ? "Redis is there" : "Redis is away",
                    {{"problem", is_there ? std::string{} : problem->what()}});
}

wa::Result<wa::InboxLook> DedupInbox::look(const wa::EventKey& key) {
    // What is read from Twilio's list has no signature; it comes to make good what a file has lost.
    if (key.signature.empty()) return inbox_->look(key);
    const auto looked = memory_.look(key);
    heard(looked ? nullptr : &looked.error());
    if (looked && *looked == wa::ClaimOutcome::done)
        return wa::InboxLook{wa::InboxAnswer::duplicate};
    if (looked && *looked == wa::ClaimOutcome::recut) return wa::InboxLook{wa::InboxAnswer::recut};
    return inbox_->look(key);
}

wa::Result<wa::InboxAnswer> DedupInbox::take(const wa::InboxDelivery& delivery) {
    auto answer = inbox_->take(delivery);
    const bool is_on_disk =
        answer && (*answer == wa::InboxAnswer::taken || *answer == wa::InboxAnswer::duplicate);
    if (!is_on_disk) return answer;
    // If it cannot be noted there, or another notes it, the file knows it all the same.
    if (const auto claim = memory_.claim(delivery.key)) static_cast<void>(memory_.finish(*claim));
    return answer;
}

}  // namespace dealer
