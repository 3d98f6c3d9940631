/// @file
/// What is wrong with a content template: `ContentFinding`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>

namespace twiliowa {

/// What a definition is meant for. The same definition may do for one use and not for another.
enum class ContentUse {
    any,       ///< Not known: what would fail in one use only is a warning.
    session,   ///< Sent within the 24-hour window, without approval.
    whatsapp,  ///< To be submitted to WhatsApp for approval.
};

/// How bad it is.
enum class FindingLevel {
    refuse,  ///< It cannot be sent, or not be submitted.
    warn,    ///< WhatsApp would reject it, or should be asked not to; it can be sent.
};

TWILIOWA_EXPORT std::string_view to_string(ContentUse use) noexcept;
TWILIOWA_EXPORT std::string_view to_string(FindingLevel level) noexcept;

/// One thing that is wrong.
struct ContentFinding {
    FindingLevel level = FindingLevel::refuse;
    std::string path = {};     ///< `types.twilio/quick-reply.actions[3].title`
    std::string problem = {};  ///< `is longer than 20 characters`
    std::string hint = {};     ///< The way out.

    /// `types.twilio/text.body is missing: twilio/text needs it`
    TWILIOWA_EXPORT std::string text() const;
    friend bool operator==(const ContentFinding&, const ContentFinding&) = default;
};

/// All of them, worst first.
using ContentFindings = std::vector<ContentFinding>;

/// Whether one of them refuses.
TWILIOWA_EXPORT bool refuses(const ContentFindings& findings) noexcept;

}  // namespace twiliowa
