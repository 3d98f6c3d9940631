#include "run_notes.hpp"

#include <utility>

namespace cli {

void RunNotes::on_quota_level(const twiliowa::QuotaLevelEvent& event) noexcept {
    auto note = std::to_string(event.percent) + " % of " + std::string{event.quota} + " is used";
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
}

std::vector<std::string> RunNotes::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(notes_, {});
}

}  // namespace cli
