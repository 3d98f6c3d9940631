#include "outbox/callback_intake.hpp"

#include <span>

#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {
namespace {

/// Whether a callback is of another account than the attempts of a job went through.
bool is_foreign(const StoredJob& job, const StatusCallback& callback) {
    bool known = false;
    for (const auto& attempt : job.attempts) {
        if (attempt.account_sid.empty()) continue;
        if (attempt.account_sid == callback.account_sid.str()) return false;
        known = true;
    }
    return known;
}

}  // namespace

Result<void> CallbackIntake::take_in(
    const StatusCallback& callback,
    const std::function<Result<void>(const Work&)>& transact) const {
    const auto written = callback.query_parameter(marker_name);
    const auto marker = Marker::parse(written);
    const bool ours = marker && marker->outbox == core_->storage->outbox_id();
    const bool names_message = !callback.sid.empty();
    std::optional<std::string> lacking;  // An account, whose SID nothing else tells.
    AccountSids account_sids;
    while (true) {
        auto learnt = transact([&](OutboxTransaction& transaction) -> Result<void> {
            lacking.reset();
            if (!names_message) return {};
            if (!ours) return learn_of_sid(transaction, callback, marker.has_value());
            auto done = learn_of_attempt(transaction, callback, *marker, account_sids, lacking);
            if (done && lacking) {
                return Error::transport(Effect::none, Stage::prepare, "an account is asked first");
            }
            return done;
        });
        if (!lacking) return learnt;
        // Asked outside of the transaction: it is the program's function.
        account_sids[*lacking] = core_->account_sid(core_->account(*lacking));
        lacking.reset();
    }
}

Result<void> CallbackIntake::learn_of_sid(OutboxTransaction& transaction,
                                          const StatusCallback& callback, bool is_anothers) const {
    const auto owner = transaction.find_sid(callback.sid.str());
    if (!owner) return owner.error();
    if (!*owner) return core_->note_stranger(transaction, callback, is_anothers);
    auto jobs = transaction.load(std::span{&**owner, 1});
    if (!jobs) return jobs.error();
    if (jobs->empty()) return {};
    auto& job = jobs->front();
    // Who can sign for another account knows nothing of this one's messages.
    if (is_foreign(job, callback)) return {};
    bool freed = false;
    const auto done = core_->apply(transaction, job, [&](JobMachine& machine) {
        // Ours would have our marker: what a look found was somebody else's.
        freed = (is_anothers || is_marked(job)) && machine.not_the_one(callback.sid.str());
        return freed || machine.status_changed(callback.sid.str(), callback.status.str(),
                                               callback.error_code);
    });
    if (!done) return done.error();
    return freed ? core_->note_stranger(transaction, callback, is_anothers) : Result<void>{};
}

Result<void> CallbackIntake::notice_lost(OutboxTransaction& transaction,
                                         const StatusCallback& callback, const Marker& marker,
                                         bool has_job, const AccountSids& account_sids,
                                         std::optional<std::string>& lacking) const {
    // Read months later, when its job was purged with all that was known of it.
    if (!has_job && callback.status == MessageStatus::read) return {};
    // What is told again tells nothing new: what was looked at since is not suspect again.
    const auto name = "lost " + marker.str();
    const auto known = transaction.fact(name);
    if (!known) return known.error();
    if (!known->empty()) return {};
    const auto waiting = transaction.ready_groups();
    if (!waiting) return waiting.error();
    for (const auto& group : *waiting) {
        if (account_sids.contains(group.account)) continue;
        lacking = group.account;
        return {};
    }
    if (auto noted = transaction.set_fact(name, "1"); !noted) return noted;
    const auto marked = core_->suspect_since(
        transaction, TimePoint{},
        "a message was sent that its storage does not know: it went back in time",
        [&](const std::string& account) {
            const auto sid = account_sids.find(account);
            return sid == account_sids.end() || sid->second.empty() ||
                   sid->second == callback.account_sid.str();
        });
    return marked ? Result<void>{} : marked.error();
}

Result<void> CallbackIntake::learn_of_attempt(OutboxTransaction& transaction,
                                              const StatusCallback& callback, const Marker& marker,
                                              const AccountSids& account_sids,
                                              std::optional<std::string>& lacking) const {
    auto jobs = transaction.load(std::span{&marker.job, 1});
    if (!jobs) return jobs.error();
    const auto number = transaction.find_attempt(marker.job, marker.nonce);
    if (!number) return number.error();
    if (!*number) {
        if (!jobs->empty()) {
            const auto& job = jobs->front();
            const auto known = account_sids.find(job.account);
            if (known == account_sids.end()) {
                lacking = job.account;
                return {};
            }
            const bool other =
                !known->second.empty() && known->second != callback.account_sid.str();
            if (other || is_foreign(job, callback)) return {};
        }
        auto noticed =
            notice_lost(transaction, callback, marker, !jobs->empty(), account_sids, lacking);
        if (!noticed || lacking) return noticed;
        if (!jobs->empty()) {
            jobs = transaction.load(std::span{&marker.job, 1});
            if (!jobs) return jobs.error();
        }
    }
    if (jobs->empty()) return {};
    auto& job = jobs->front();
    for (const auto& attempt : job.attempts) {
        if (attempt.nonce == marker.nonce && !attempt.account_sid.empty() &&
            attempt.account_sid != callback.account_sid.str()) {
            return {};  // Another account's: it can sign what it likes.
        }
    }
    const auto right = core_->codec.is_for(job, Address::from_wire(callback.to));
    if (!right) return right.error();
    const SentProof proof{.sid = callback.sid.str(),
                          .status = callback.status.str(),
                          .error_code = callback.error_code,
                          .evidence = Evidence::callback,
                          .wrong_customer = *right && !**right};
    const auto taken = core_->take_proof(transaction, job, marker.nonce, proof);
    return taken ? Result<void>{} : taken.error();
}

}  // namespace twiliowa::detail
