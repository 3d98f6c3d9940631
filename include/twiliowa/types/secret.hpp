/// @file
/// A string that must not be seen.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa {

/// Holds a token or a password. Cannot be streamed, formatted or compared by accident, and wipes
/// its memory when destroyed. `reveal()` is the only way in; grep for it.
class TWILIOWA_EXPORT Secret {
public:
    Secret() noexcept = default;
    explicit Secret(std::string_view text);
    Secret(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(const Secret& other);
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    /// The text. Valid as long as this object is neither changed nor destroyed.
    std::string_view reveal() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }

private:
    void wipe() noexcept;
    std::string text_;
};

/// A Secret is never printed.
std::ostream& operator<<(std::ostream&, const Secret&) = delete;

}  // namespace twiliowa
