/// @file
/// Waiting for WhatsApp's judgement, as a machine without I/O and clock of its own.
#pragma once

#include <chrono>
#include <optional>

#include <twiliowa/content/template.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// What comes after an answer: the result, or another question at `ask_at`.
struct ApprovalStep {
    std::optional<Result<ContentApproval>> result = {};
    MonotonicTime ask_at = {};
};

/// One wait, from its first question to its end.
class ApprovalPoll {
public:
    ApprovalPoll(const ApprovalWait& wait, MonotonicTime now) noexcept;

    /// Why the times cannot be used, if they cannot.
    static std::optional<Error> wrong_times(const ApprovalWait& wait);
    ApprovalStep on_answer(const Result<ContentApproval>& answer, MonotonicTime now);
    MonotonicTime deadline() const noexcept { return deadline_; }

private:
    std::chrono::milliseconds delay_;
    std::chrono::milliseconds longest_;
    MonotonicTime deadline_;
};

}  // namespace twiliowa::detail
