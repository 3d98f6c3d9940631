#include "content_client/approval_poll.hpp"

#include <algorithm>
#include <string>

#include "call/api_error.hpp"
#include "types/duration_bound.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa::detail {

ApprovalPoll::ApprovalPoll(const ApprovalWait& wait, MonotonicTime now) noexcept
    : delay_(wait.first), longest_(wait.longest), deadline_(time_after(now, wait.timeout)) {}

std::optional<Error> ApprovalPoll::wrong_times(const ApprovalWait& wait) {
    if (auto wrong = wrong_duration("first", wait.first)) return wrong;
    if (auto wrong = wrong_duration("longest", wait.longest)) return wrong;
    return wrong_duration("timeout", wait.timeout);
}

ApprovalStep ApprovalPoll::on_answer(const Result<ContentApproval>& answer, MonotonicTime now) {
    if (answer && answer->status == ApprovalStatus::unsubmitted) {
        return {Error::invalid_request("ContentSid", "was not submitted for approval",
                                       "call submit first")};
    }
    if (answer && !answer->is_pending()) return {answer};
    if (!answer && !may_pass(answer.error())) return {answer};
    const auto ask_at = time_after(now, answer || !answer.error().retry_after()
                                            ? delay_
                                            : std::max(delay_, *answer.error().retry_after()));
    if (ask_at > deadline_) {
        if (!answer) return {answer};
        return {unsent_error(
            ErrorKind::timeout,
            "WhatsApp has not judged the template in time; it is " + answer->status.str())};
    }
    delay_ = delay_ > longest_ / 2 ? longest_ : delay_ * 2;
    return {std::nullopt, ask_at};
}

}  // namespace twiliowa::detail
