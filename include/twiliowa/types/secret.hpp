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
    /// Whether `given` is this secret, as a stranger's key or password has to be. Takes a time that
    /// tells nothing of where they differ, nor of how long the secret is. An empty secret matches
    /// nothing.
    bool matches(std::string_view given) const noexcept;

private:
    void wipe() noexcept;
    std::string text_;
};

/// A Secret is never printed.
std::ostream& operator<<(std::ostream&, const Secret&) = delete;

}  // namespace twiliowa
