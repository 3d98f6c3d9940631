/// @file
/// A line on a terminal that changes while something goes on.
#pragma once

#include <ostream>
#include <string_view>

namespace cli {

class LiveLine {
public:
    /// @param descriptor  of what `out` writes to
    LiveLine(std::ostream& out, int descriptor);
    /// Leaves it as it was shown last, and goes on below.
    ~LiveLine();
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    /// Elsewhere nothing is shown.
    bool is_on_terminal() const noexcept { return on_terminal_; }
    /// In place of what was there; cut where the terminal ends.
    void show(std::string_view text);
    /// Takes it away, for what is written next.
    void clear();

private:
    std::ostream& out_;
    const int descriptor_;
    const bool on_terminal_;
    bool has_line_ = false;
};

}  // namespace cli
