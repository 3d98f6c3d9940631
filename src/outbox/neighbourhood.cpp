#include "outbox/neighbourhood.hpp"

#include <algorithm>
#include <string_view>

#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {
namespace {

std::string without_blanks(std::string_view text) {
    std::string bare;
    for (const char c : text) {
        if (static_cast<unsigned char>(c) > ' ') bare += c;
    }
    return bare;
}

bool may_be_template(const OutboundMessage& message) {
    return !message.content_sid.empty() || !message.fallback_content_sid.empty();
}

/// Whether what is known of the text of `a` holds all that is known of that of `b`, a template.
bool holds_values(const OutboundMessage& a, const OutboundMessage& b) {
    auto text = without_blanks(a.body);
    for (const auto* const variables : {&a.content_variables, &a.fallback_variables}) {
        for (const auto& each : variables->entries()) text += without_blanks(each.second);
    }
    const auto& values = b.content_sid.empty() ? b.fallback_variables : b.content_variables;
    return may_be_template(b) &&
           std::all_of(values.entries().begin(), values.entries().end(), [&](const auto& each) {
               return text.find(without_blanks(each.second)) != std::string::npos;
           });
}

/// Whether Twilio's list may show both alike: it tells texts without their blanks, and how many
/// media there were.
bool may_read_alike(const OutboundMessage& a, const OutboundMessage& b) {
    if (may_be_template(a) || may_be_template(b)) return holds_values(a, b) || holds_values(b, a);
    return without_blanks(a.body) == without_blanks(b.body) &&
           a.media_url.size() == b.media_url.size();
}

/// What is the same for a customer who reads it.
bool says_the_same(const OutboundMessage& a, const OutboundMessage& b) {
    return a.body == b.body && a.content_sid == b.content_sid && a.media_url == b.media_url &&
           a.content_variables == b.content_variables;
}

/// The accounts that may have sent it; the empty one may be any.
std::set<std::string> accounts_of(const StoredJob& job) {
    std::set<std::string> accounts;
    for (const auto& attempt : job.attempts) {
        if (attempt.state != AttemptState::not_sent) accounts.insert(attempt.account_sid);
    }
    return accounts;
}

bool may_share_one(const std::set<std::string>& a, const std::set<std::string>& b) {
    return a.contains("") || b.contains("") ||
           std::any_of(a.begin(), a.end(), [&](const auto& each) { return b.contains(each); });
}

std::optional<OutboundMessage> readable_message(const StoredJob& job, const JobCodec& codec) {
    auto message = codec.message_of(job);
    if (!message) return std::nullopt;
    return std::move(*message);
}

}  // namespace

void Neighbourhood::take(const StoredJob& job, const JobCodec& codec) {
    auto& sids = sids_of_[job.id];
    for (const auto& sid : sids) owners_.erase({sid, job.id});
    sids = job.doubles;
    sids.push_back(job.sid);
    for (const auto& attempt : job.attempts) sids.push_back(attempt.sid);
    std::erase(sids, std::string{});
    for (const auto& sid : sids) owners_.emplace(sid, job.id);
    if (job.in_doubt() && job.sid.empty()) {
        auto& doubtful = doubtful_[job.content_hash];
        if (!doubtful.message) doubtful.message = readable_message(job, codec);
        doubtful.jobs.insert_or_assign(job.id, accounts_of(job));
        return;
    }
    const auto doubtful = doubtful_.find(job.content_hash);
    if (doubtful == doubtful_.end()) return;
    doubtful->second.jobs.erase(job.id);
    if (doubtful->second.jobs.empty()) doubtful_.erase(doubtful);
}

bool Neighbourhood::is_others(const std::string& sid, const JobId& job) const {
    for (auto owner = owners_.lower_bound({sid, JobId{}});
         owner != owners_.end() && owner->first == sid; ++owner) {
        if (owner->second != job) return true;
    }
    return false;
}

Neighbourhood::Twins Neighbourhood::twins_of(const StoredJob& job, const JobCodec& codec) const {
    Twins twins;
    const auto mine = readable_message(job, codec);
    const auto accounts = accounts_of(job);
    for (const auto& [content, theirs] : doubtful_) {
        const bool others =
            std::any_of(theirs.jobs.begin(), theirs.jobs.end(), [&](const auto& each) {
                return each.first != job.id && may_share_one(accounts, each.second);
            });
        if (!others) continue;
        const bool readable = mine && theirs.message;
        if (readable && !may_read_alike(*mine, *theirs.message)) continue;
        twins.twin = true;
        if (!readable || !says_the_same(*mine, *theirs.message)) twins.look_alike = true;
    }
    return twins;
}

void Neighbourhood::collect_sids(std::vector<MessageSid>& sids) const {
    for (const auto& owner : owners_) sids.push_back(MessageSid::from_wire(owner.first));
}

Result<std::shared_ptr<const Neighbourhood>> Neighbourhoods::around(OutboxTransaction& transaction,
                                                                    const StoredJob& job,
                                                                    const JobCodec& codec) {
    if (const auto known = by_customer_.find(job.customer); known != by_customer_.end()) {
        return std::shared_ptr<const Neighbourhood>{known->second};
    }
    // Of all senders: a messaging service sends as any of its own.
    JobFilter filter{.customers = {job.customer}, .limit = 200};
    if (const auto mine = codec.message_of(job)) {
        // By whichever key of the ring a neighbour was sealed.
        if (const auto to = Address::parse(mine->to)) {
            if (const auto customers = codec.customers_of(*to)) {
                for (const auto& each : *customers) {
                    if (each != job.customer) filter.customers.push_back(each);
                }
            }
        }
    }
    const auto found = std::make_shared<Neighbourhood>();
    while (true) {
        const auto jobs = transaction.list(filter);
        if (!jobs) return jobs.error();
        for (const auto& each : *jobs) {
            filter.after = each.sequence;
            found->take(each, codec);
        }
        if (jobs->size() < filter.limit) break;
    }
    for (const auto& customer : filter.customers) by_customer_.insert_or_assign(customer, found);
    return std::shared_ptr<const Neighbourhood>{found};
}

void Neighbourhoods::changed(const StoredJob& job, const JobCodec& codec) {
    const auto known = by_customer_.find(job.customer);
    if (known != by_customer_.end()) known->second->take(job, codec);
}

}  // namespace twiliowa::detail
