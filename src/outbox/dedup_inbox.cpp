#include <utility>

#include <twiliowa/outbox/dedup_inbox.hpp>

namespace twiliowa {

DedupInbox::DedupInbox(std::shared_ptr<Inbox> inbox, DedupStore memory, DedupInboxOptions options)
    : inbox_(std::move(inbox)), memory_(std::move(memory)), options_(std::move(options)) {
    if (inbox_ == nullptr) Error::invalid_request("inbox", "is null").raise();
    // Whether it answers is told from the start.
    static_cast<void>(ask({}));
}

Result<ClaimOutcome> DedupInbox::ask(const EventKey& key) {
    auto looked = memory_.look(key);
    const std::lock_guard lock{mutex_};
    if (answers_ != looked.has_value()) {
        answers_ = looked.has_value();
        if (options_.on_change) options_.on_change(looked ? nullptr : &looked.error());
    }
    return looked;
}

bool DedupInbox::memory_answers() const {
    const std::lock_guard lock{mutex_};
    return answers_.value_or(false);
}

Result<InboxLook> DedupInbox::look(const EventKey& key) {
    // What is read from Twilio's list has no signature.
    if (key.signature.empty()) return inbox_->look(key);
    const auto looked = ask(key);
    if (looked && *looked == ClaimOutcome::done) return InboxLook{InboxAnswer::duplicate};
    if (looked && *looked == ClaimOutcome::recut) return InboxLook{InboxAnswer::recut};
    return inbox_->look(key);
}

Result<InboxAnswer> DedupInbox::take(const InboxDelivery& delivery) {
    auto answer = inbox_->take(delivery);
    const bool is_on_disk =
        answer && (*answer == InboxAnswer::taken || *answer == InboxAnswer::duplicate);
    // A webhook that follows what was caught up is the inbox's to judge.
    if (!is_on_disk || delivery.caught_up) return answer;
    // Where it cannot be noted, or another process notes it, the inbox knows it all the same.
    static_cast<void>(memory_.note_done(delivery.key));
    return answer;
}

}  // namespace twiliowa
