/// @file
/// Whether a program could send and receive as it is set up: `check_setup`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// How bad a finding is.
enum class SetupLevel {
    ok,       ///< Looked at, and good.
    warning,  ///< It works, but not as well as it might; or it could not be looked at.
    wrong,    ///< Messages will fail, or not arrive.
};

/// `ok`, `warning` or `wrong`.
TWILIOWA_EXPORT std::string_view to_string(SetupLevel level) noexcept;

/// What was found out about one thing.
struct SetupFinding {
    SetupLevel level = SetupLevel::ok;
    /// What it is about, a word for programs: `credentials`, `account`, `balance`, `sender`,
    /// `quality` or `callback_url`. More may come.
    std::string subject = {};
    std::string what = {};     ///< For people. Holds no secret and no phone number.
    std::string way_out = {};  ///< What to do about it; empty if it is ok.
};

/// Looks whether messages could be sent and received as `client` is set up, and changes nothing:
/// whether Twilio takes the credentials; whether the account is active, on trial and has money
/// left; whether the default sender is one of the account's WhatsApp senders, online and of what
/// quality; and, if `callback_url` is given, whether Twilio could call it and calls it for that
/// sender.
///
/// The answer is the list of findings. What cannot be looked at is a finding, too, so that nothing
/// but a finding is ever missing: it throws no TwilioError. Once Twilio takes no credentials, or
/// the time is over, no more is asked.
///
/// GET /2010-04-01/Accounts/{AccountSid}.json, .../Balance.json and the Senders resource (v2); for
/// an API key, which may not read the account, one message is listed. Idempotent. The timeout of
/// `options` is for all of it. Safe to call from any thread.
///
/// @code
/// for (const auto& finding : twiliowa::check_setup(client, "https://bot.example.com/whatsapp"))
///     log(to_string(finding.level), finding.what, finding.way_out);
/// @endcode
TWILIOWA_EXPORT std::vector<SetupFinding> check_setup(const MessagesClient& client,
                                                      std::string_view callback_url = {},
                                                      const CallOptions& options = {});

/// The same without waiting. `done` is given an error only if the client was destroyed meanwhile.
TWILIOWA_EXPORT void async_check_setup(const MessagesClient& client, std::string_view callback_url,
                                       Callback<std::vector<SetupFinding>> done,
                                       const CallOptions& options = {});

}  // namespace twiliowa
