#include "outbox/witness.hpp"

#include <algorithm>
#include <array>

namespace twiliowa::detail {
namespace {

/// Whether a job for the message's recipient may have sent it.
Result<bool> may_be_of_a_job(OutboxTransaction& transaction, const JobCodec& codec,
                             const Message& message) {
    const auto customers = codec.customers_of(Address::from_wire(message.to));
    if (!customers) return customers.error();
    constexpr std::array states{JobState::sending, JobState::unknown, JobState::held};
    for (const auto state : states) {
        const auto jobs = transaction.list({.state = state, .customers = *customers, .limit = 1});
        if (!jobs) return jobs.error();
        if (!jobs->empty()) return true;
    }
    return false;
}

}  // namespace

Result<bool> tells_of_later_state(OutboxTransaction& transaction, const JobCodec& codec,
                                  const std::vector<Message>& newest,
                                  std::chrono::milliseconds margin) {
    const auto last = transaction.last_change();
    if (!last) return last.error();
    if (!*last) return false;
    for (const auto& message : newest) {
        if (!message.date_created || *message.date_created <= **last + margin) continue;
        const auto owner = transaction.find_sid(message.sid.str());
        if (!owner) return owner.error();
        if (*owner) continue;
        const auto explained = may_be_of_a_job(transaction, codec, message);
        if (!explained) return explained.error();
        if (!*explained) return true;
    }
    return false;
}

}  // namespace twiliowa::detail
