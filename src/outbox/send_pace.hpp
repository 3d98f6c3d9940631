/// @file
/// How many sends of an account may be under way at once: fewer while Twilio says that they are too
/// many (20429).
#pragma once

#include <algorithm>
#include <cstddef>

namespace twiliowa::detail {

/// Halved by a refusal, one more for every round that was answered: additive increase,
/// multiplicative decrease. Of one account. Not thread-safe.
class SendPace {
public:
    explicit SendPace(std::size_t most) noexcept : most_(most), limit_(most) {}

    /// How many more may go now.
    std::size_t room() const noexcept { return limit_ - std::min(limit_, under_way_); }
    void went() noexcept { ++under_way_; }
    /// One was answered, whatever it says.
    void answered() noexcept {
        if (end_one() || limit_ == most_ || ++answers_ < limit_) return;
        ++limit_;
        answers_ = 0;
    }
    /// One was refused because there were too many.
    void refused() noexcept {
        if (end_one()) return;
        limit_ = std::max<std::size_t>(std::min(limit_, under_way_ + 1) / 2, 1);
        answers_ = 0;
        left_ = under_way_;
    }

private:
    /// Whether it went by the old limit: then its end says nothing of the new one.
    bool end_one() noexcept {
        if (under_way_ > 0) --under_way_;
        if (left_ == 0) return false;
        --left_;
        return true;
    }

    std::size_t most_;
    std::size_t limit_;
    std::size_t under_way_ = 0;
    std::size_t answers_ = 0;  ///< Since the limit changed.
    std::size_t left_ = 0;     ///< Under way since before it was halved.
};

}  // namespace twiliowa::detail
