/// @file
/// Twilio's identifiers, as distinct types, checked when constructed: they enter URL paths.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

namespace detail {

/// What distinguishes one kind of SID: its name in errors and its two-letter prefixes.
struct SidKind {
    const char* name;
    const char* prefix;
    const char* other_prefix;
};
TWILIOWA_EXPORT extern const SidKind message_sid_kind;
TWILIOWA_EXPORT extern const SidKind media_sid_kind;
TWILIOWA_EXPORT extern const SidKind content_sid_kind;
TWILIOWA_EXPORT extern const SidKind account_sid_kind;
TWILIOWA_EXPORT extern const SidKind messaging_service_sid_kind;
TWILIOWA_EXPORT extern const SidKind application_sid_kind;
TWILIOWA_EXPORT extern const SidKind api_key_sid_kind;
TWILIOWA_EXPORT extern const SidKind channel_sender_sid_kind;

/// Whether `text` is a whole SID of that kind: its letters and 32 hexadecimal digits.
TWILIOWA_EXPORT bool is_whole_sid(const SidKind& kind, std::string_view text) noexcept;
TWILIOWA_EXPORT Result<std::string> check_sid(const SidKind& kind, std::string_view text);
/// Whether `text` is safe in a URL path and plausible as a SID of a kind not yet known.
TWILIOWA_EXPORT bool is_readable_sid(std::string_view text) noexcept;

}  // namespace detail

/// Two letters and 32 hexadecimal digits. Empty when default-constructed; every verb refuses an
/// empty one by name.
template <const detail::SidKind& Kind>
class Sid {
public:
    Sid() noexcept = default;
    /// @throws InvalidRequestError if `text` is not such a SID.
    explicit Sid(std::string_view text) : text_(detail::check_sid(Kind, text).value()) {}
    /// The same without throwing.
    static Result<Sid> parse(std::string_view text) {
        return detail::check_sid(Kind, text).transform([](std::string&& s) {
            return Sid{std::move(s), 0};
        });
    }
    /// From Twilio's own answer: also accepts prefixes this version does not know, as long as they
    /// are safe in a URL; otherwise empty.
    static Sid from_wire(std::string text) {
        return detail::is_readable_sid(text) ? Sid{std::move(text), 0} : Sid{};
    }

    const std::string& str() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    friend bool operator==(const Sid&, const Sid&) = default;
    friend auto operator<=>(const Sid&, const Sid&) = default;

private:
    Sid(std::string&& text, int) noexcept : text_(std::move(text)) {}
    std::string text_;
};

using MessageSid = Sid<detail::message_sid_kind>;                     ///< SM... or MM...
using MediaSid = Sid<detail::media_sid_kind>;                         ///< ME...
using ContentSid = Sid<detail::content_sid_kind>;                     ///< HX...
using AccountSid = Sid<detail::account_sid_kind>;                     ///< AC...
using MessagingServiceSid = Sid<detail::messaging_service_sid_kind>;  ///< MG...
using ApplicationSid = Sid<detail::application_sid_kind>;             ///< AP...
using ApiKeySid = Sid<detail::api_key_sid_kind>;                      ///< SK...
using ChannelSenderSid = Sid<detail::channel_sender_sid_kind>;        ///< XE...

}  // namespace twiliowa
