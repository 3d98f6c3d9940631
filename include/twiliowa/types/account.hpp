/// @file
/// Twilio's record of an account, and its balance.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa {

/// Whether an account can be used: `a.status == AccountStatus::active`.
class AccountStatus : public OpenEnum<AccountStatus> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view active = "active";
    static constexpr std::string_view suspended = "suspended";
    static constexpr std::string_view closed = "closed";
};

/// Whether an account is paid for: `a.type == AccountType::trial`. A trial account reaches verified
/// recipients only (21608).
class AccountType : public OpenEnum<AccountType> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view trial = "Trial";
    static constexpr std::string_view full = "Full";
};

/// An account as Twilio reports it, without its auth token, which is not kept. Source: Twilio's
/// Accounts resource.
struct Account {
    AccountSid sid = {};
    AccountSid owner_account_sid = {};  ///< The main account's; its own if it is one.
    std::string friendly_name = {};
    AccountStatus status = {};
    AccountType type = {};
    std::optional<TimePoint> date_created = {};
    std::optional<TimePoint> date_updated = {};
};

/// What is left on an account. Subaccounts have none of their own. Source: Twilio's Balance
/// resource.
struct Balance {
    AccountSid account_sid = {};
    std::string balance = {};   ///< A decimal as text, in `currency`; lags behind.
    std::string currency = {};  ///< `USD`
};

}  // namespace twiliowa
