/// @file
/// What a send's answer means for its job.
#pragma once

#include <string>
#include <variant>

#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>

#include "outbox/job_machine.hpp"

namespace twiliowa::detail {

/// It may have been sent.
struct UnknownAnswer {
    int http_status = 0;
    int error_code = 0;
    std::string problem = {};
};

/// Who has to stop for now, beside the job itself.
enum class AnswerScope {
    job,      ///< Nobody.
    pace,     ///< Nobody, but fewer of its account may be under way at once.
    sender,   ///< Everything of its sender, for a while: the network, a throttle.
    account,  ///< Everything of its account, until a person has put it right.
    day,      ///< Everything of its account, until the next day (UTC).
};

struct SendAnswer {
    std::variant<SentProof, NotSentProof, UnknownAnswer> what = {};
    AnswerScope scope = AnswerScope::job;
};

/// @param stopping  the outbox cancelled it itself.
SendAnswer read_send_answer(const Result<Message>& answer, bool stopping);

}  // namespace twiliowa::detail
