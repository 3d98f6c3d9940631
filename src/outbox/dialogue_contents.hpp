/// @file
/// The contents by which a dialogue asks: buttons and rows whose texts are variables.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/outbox/dialogue.hpp>

namespace twiliowa::detail {

enum class AskedBy { buttons, rows };

/// The content for so many of them. What comes back of one is `twiliowa:1`, `twiliowa:2`, ...
ContentDefinition asking_content(AskedBy by, int count, const DialogueContents& contents);
/// Whether that came back of one.
bool is_asked_id(std::string_view id) noexcept;
/// The values of its variables; an error naming what WhatsApp would not show.
Result<TemplateVariables> asking_variables(AskedBy by, std::string_view question,
                                           const TextList& titles);

/// Which contents are known, by account. Thread-safe.
class KnownContents {
public:
    /// Looks for all of them in one list, and has made what is missing.
    Result<void> ensure(const ContentClient& client, const DialogueContents& contents,
                        const CallOptions& options);
    /// An error naming `buttons` or `rows` if there is none.
    Result<std::string> find(AskedBy by, std::size_t count, std::string_view account) const;

private:
    struct Key {
        std::string account = {};
        AskedBy by = AskedBy::buttons;
        std::size_t count = 0;
        friend auto operator<=>(const Key&, const Key&) = default;  // NOLINT: no pointer
    };
    mutable std::mutex mutex_;
    std::map<Key, std::string> sids_;
};

}  // namespace twiliowa::detail
