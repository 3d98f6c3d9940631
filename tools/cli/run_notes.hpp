/// @file
/// What a worker tells people beside how far it is.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include <twiliowa/types/observer.hpp>

namespace cli {

/// Notes how far budgets are used up, until somebody shows it. Thread-safe.
class RunNotes final : public twiliowa::Observer {
public:
    void on_quota_level(const twiliowa::QuotaLevelEvent& event) noexcept override;
    /// What was noted since it was asked last.
    std::vector<std::string> take();

private:
    std::mutex mutex_ = {};
    std::vector<std::string> notes_ = {};
};

}  // namespace cli
