/// @file
/// What Twilio's error codes mean, and what to do about them: a catalogue that needs no network.
#pragma once

#include <span>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa {

/// What an error code is about, and so who has to act. More values may come with a minor release:
/// give a `switch` over it a `default`.
enum class ErrorCategory {
    unknown,          ///< Not in the catalogue, and its range tells nothing.
    authentication,   ///< The credentials are wrong, expired or not allowed to do this.
    account,          ///< The account's state or settings forbid it.
    invalid_request,  ///< The request is malformed: a mistake in the calling program.
    not_found,        ///< No such resource, or it is past the state the call needs.
    recipient,        ///< This recipient cannot get the message.
    opted_out,        ///< The recipient does not want such messages: send none of them. After 63050
                      ///< that is marketing only, after 63033 all until the recipient writes.
    sender,           ///< The sender, its WhatsApp Business Account or Messaging Service.
    template_,        ///< The content template or its variables.
    content,          ///< The content does not suit the channel.
    media,            ///< The media file or its URL.
    window,           ///< Free-form text outside the session window: it takes a template.
    throttled,        ///< Too fast, or too much waiting in a queue.
    daily_limit,      ///< The account used up its messages for the day.
    ambiguous,        ///< The server failed during the call: it may have taken effect.
    provider,         ///< A failure at Twilio or Meta after the message was accepted.
    delayed,          ///< Held back by Meta for now.
    expired,          ///< Too old by the time it could have been sent.
    policy,           ///< Stopped by a content policy or a spam filter.
    webhook,          ///< Your own endpoint; Twilio's Debugger shows it.
    info,             ///< Nothing failed.
};

/// Whether and how another attempt makes sense. More values may come with a minor release.
enum class RetryAdvice {
    never,           ///< The same attempt will fail again, or must not be made.
    after_fix,       ///< Once what the advice names is put right.
    with_backoff,    ///< Nothing was processed: repeat it after growing, jittered pauses.
    later,           ///< Not soon: minutes to hours, at a lower rate.
    next_day,        ///< When the account's daily limit starts afresh.
    as_new_message,  ///< That message is over; send a new one, after a pause and only a few times.
    check_first,     ///< See whether the message exists before sending it again.
};

/// What is known of one error code. The views are to static storage and never dangle.
struct ErrorAdvice {
    int code = 0;
    ErrorCategory category = ErrorCategory::unknown;
    RetryAdvice retry = RetryAdvice::never;
    std::string_view title = {};   ///< What happened, in a few words.
    std::string_view advice = {};  ///< What to do about it, in one line.
};

/// Looks up `code`, as found in `ApiError`, a status callback or `Message::error_code`.
///
/// A code that is not in the catalogue gets what its range tells, in words that say so. 0 means no
/// error and gives an empty title and advice. Thread-safe; allocates nothing.
///
/// @code
/// if (twiliowa::advise(code).category == twiliowa::ErrorCategory::account) wake_operations();
/// @endcode
TWILIOWA_EXPORT ErrorAdvice advise(int code) noexcept;

/// Every code that is known, in ascending order.
TWILIOWA_EXPORT std::span<const ErrorAdvice> error_catalogue() noexcept;

/// The enumerator's name (`template` for `template_`); `unknown` for a value that is none.
TWILIOWA_EXPORT std::string_view to_string(ErrorCategory category) noexcept;

/// The enumerator's name; `unknown` for a value that is none.
TWILIOWA_EXPORT std::string_view to_string(RetryAdvice retry) noexcept;

}  // namespace twiliowa
