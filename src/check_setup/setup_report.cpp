#include "check_setup/setup_report.hpp"

#include <algorithm>
#include <utility>

#include <twiliowa/types/error_advice.hpp>

#include "net/ip.hpp"
#include "net/url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view sandbox_sender = "whatsapp:+14155238886";

/// Whether no other call can be expected to fare better.
bool is_over(const Error& error) noexcept {
    return error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::timeout;
}

/// Whether a decimal number, as Twilio writes amounts, is one, and greater than 0.
std::optional<bool> is_positive_amount(std::string_view amount) noexcept {
    const bool negative = amount.starts_with('-');
    const auto digits = amount.substr(negative ? 1 : 0);
    const bool sound =
        !digits.empty() && std::count(digits.begin(), digits.end(), '.') <= 1 &&
        std::any_of(digits.begin(), digits.end(), is_digit) &&
        std::all_of(digits.begin(), digits.end(), [](char c) { return is_digit(c) || c == '.'; });
    if (!sound) return std::nullopt;
    return !negative && digits.find_first_not_of("0.") != std::string_view::npos;
}

/// Whether the public internet can lead there, as far as the name tells.
bool is_public_host(std::string_view host) noexcept {
    const bool brackets = host.starts_with('[');
    const auto bare = brackets ? host.substr(1, host.size() - 2) : host;
    if (parse_ip_address(bare)) return is_public_address(bare);
    const auto name = bare.substr(0, bare.find_last_not_of('.') + 1);
    if (name.find('.') == std::string_view::npos) return false;
    const auto last = name.substr(name.rfind('.') + 1);
    for (const std::string_view local :
         {"local", "localhost", "internal", "lan", "home", "test", "example", "invalid", "arpa"}) {
        if (equals_ignoring_case(last, local)) return false;
    }
    return true;
}

/// Whether both URLs are one for who serves them: the fragment is Twilio's own, and a login may be
/// in one of them only.
bool is_same_url(std::string_view one, std::string_view other) noexcept {
    const auto a = split_url(one);
    const auto b = split_url(other);
    if (!a || !b) return false;
    const auto path = [](const UrlParts& parts) {
        return parts.rest.empty() ? std::string_view{"/"} : parts.rest;
    };
    return a->is_https() == b->is_https() && equals_ignoring_case(a->host, b->host) &&
           host_and_port(one).port == host_and_port(other).port && path(*a) == path(*b);
}

/// The codes, and what they mean. Twilio's words may hold a phone number.
std::string describe_offline_reasons(const ChannelSender& sender) {
    std::string text;
    for (const auto& reason : sender.offline_reasons) {
        const auto code = parse_number<int>(reason.code);
        if (!code) continue;
        text += text.empty() ? ": " : "; ";
        text += reason.code;
        const auto title = advise(*code).title;
        if (!title.empty()) text.append(" (").append(title).append(1, ')');
    }
    return text;
}

}  // namespace

void SetupReport::add(SetupLevel level, std::string_view subject, std::string what,
                      std::string_view way_out) {
    findings_.push_back({.level = level,
                         .subject = std::string{subject},
                         .what = std::move(what),
                         .way_out = std::string{way_out}});
}

void SetupReport::refuse_credentials(const Error& error) {
    next_ = Question::none;
    if (error.kind() == ErrorKind::authentication) {
        add(SetupLevel::wrong, "credentials", "Twilio refuses the credentials: " + error.what(),
            setup_.has_api_key
                ? "check the account's SID, the key's and its secret; a key is of one account and "
                  "one region"
                : "check the account's SID and its auth token; a token that was rotated, or is of "
                  "another region, is refused");
    } else if (error.kind() == ErrorKind::invalid_request) {
        add(SetupLevel::wrong, "credentials", "Twilio could not be asked: " + error.what(),
            "put right what is named");
    } else if (error.kind() == ErrorKind::cancelled) {
        add(SetupLevel::wrong, "credentials", "the check was cancelled", "let it end");
    } else {
        add(SetupLevel::wrong, "credentials", "Twilio gave no answer to go by: " + error.what(),
            "check the network, the proxy, the region and the base URL, then try again");
    }
}

void SetupReport::leave_unchecked(std::string_view subject, const Error& error) {
    if (is_over(error)) next_ = Question::none;
    add(SetupLevel::warning, subject, "could not be looked at: " + error.what(),
        is_over(error) ? "let the check end, and give it more time" : "try again");
}

void SetupReport::take(const Result<Account>& account) {
    if (account) {
        add(SetupLevel::ok, "credentials", "Twilio takes the credentials");
        judge_account(*account);
        next_ = Question::balance;
    } else if (setup_.has_api_key && account.error().kind() == ErrorKind::authentication) {
        next_ = Question::messages;
    } else {
        refuse_credentials(account.error());
    }
}

void SetupReport::take(const Result<Page<Message>>& messages) {
    if (!messages) return refuse_credentials(messages.error());
    add(SetupLevel::ok, "credentials", "Twilio takes the API key");
    add(SetupLevel::warning, "account",
        "its status and balance could not be looked at: API keys may not read accounts",
        "check once with the account's auth token");
    turn_to_sender();
}

void SetupReport::judge_account(const Account& account) {
    if (account.status == AccountStatus::active) {
        add(SetupLevel::ok, "account", "the account is active");
    } else {
        add(SetupLevel::wrong, "account", "the account is " + account.status.str(),
            "see the Console for the reason, or ask Twilio's support: nothing is sent meanwhile");
    }
    if (account.type == AccountType::trial) {
        add(SetupLevel::warning, "account",
            "it is a trial account: it reaches verified recipients only (21608)",
            "verify recipients in the Console, or upgrade the account");
    }
}

void SetupReport::take(const Result<Balance>& balance) {
    turn_to_sender();
    if (!balance) {
        // A subaccount has none.
        if (balance.error().kind() != ErrorKind::not_found) {
            leave_unchecked("balance", balance.error());
        }
        return;
    }
    const auto positive = is_positive_amount(balance->balance);
    const auto amount = balance->balance + " " + balance->currency;
    if (!positive) {
        add(SetupLevel::warning, "balance", "what is left on the account is not said",
            "see the Console");
    } else if (*positive) {
        add(SetupLevel::ok, "balance", amount + " are left on the account");
    } else {
        add(SetupLevel::wrong, "balance", "nothing is left on the account: " + amount,
            "top it up, or turn on auto-recharge; where Twilio sends invoices, it may stay so");
    }
}

void SetupReport::turn_to_sender() {
    next_ = Question::none;
    if (setup_.from.empty()) {
        if (setup_.has_messaging_service) {
            add(SetupLevel::warning, "sender",
                "not looked at: a messaging service chooses it at every message",
                "give the client one of the service's senders, too, to have that looked at");
        } else {
            add(SetupLevel::wrong, "sender", "the client has no default sender",
                "give it a WhatsApp sender (from) or a messaging service");
        }
    } else if (setup_.from.channel() != Address::Channel::whatsapp) {
        add(SetupLevel::warning, "sender", "not looked at: it is none for WhatsApp",
            "look at it in the Console");
    } else {
        next_ = Question::senders;
    }
}

void SetupReport::take(const Result<std::vector<ChannelSender>>& senders) {
    next_ = Question::none;
    if (!senders) return leave_unchecked("sender", senders.error());
    const auto found = std::find_if(
        senders->begin(), senders->end(),
        [&](const ChannelSender& sender) { return sender.sender_id == setup_.from.wire(); });
    if (found == senders->end()) return judge_missing_sender();
    sender_ = *found;
    judge_sender(*found);
}

void SetupReport::judge_missing_sender() {
    if (setup_.from.wire() == sandbox_sender) {
        add(SetupLevel::warning, "sender",
            "it is Twilio's sandbox: it reaches customers only who joined it (63015)",
            "register a sender of your own before you go live");
    } else {
        add(SetupLevel::wrong, "sender", "it is none of the account's WhatsApp senders (63007)",
            "register it in the Console, or check the account, the region and the number");
    }
}

void SetupReport::judge_sender(const ChannelSender& sender) {
    const bool online = sender.status == ChannelSenderStatus::online ||
                        sender.status == ChannelSenderStatus::online_updating;
    if (online) {
        auto what = "the sender is " + sender.status.str();
        if (!sender.messaging_limit.empty()) {
            what += ", its messaging limit " + sender.messaging_limit;
        }
        add(SetupLevel::ok, "sender", std::move(what));
    } else {
        add(SetupLevel::wrong, "sender",
            "the sender is " + sender.status.str() + describe_offline_reasons(sender),
            sender.status == ChannelSenderStatus::offline
                ? "put right what is named, in the Console or in Meta's Business Manager"
                : "wait until it is ONLINE, or finish its registration");
    }
    if (equals_ignoring_case(sender.quality_rating, "LOW")) {
        add(SetupLevel::warning, "quality", "the sender's quality rating is LOW",
            "send less, and only what is wanted: a lower messaging limit comes next");
    } else if (!sender.quality_rating.empty()) {
        add(SetupLevel::ok, "quality", "the sender's quality rating is " + sender.quality_rating);
    }
}

std::vector<SetupFinding> SetupReport::finish() {
    if (!setup_.callback_url.empty()) judge_callback_url();
    return std::move(findings_);
}

void SetupReport::judge_callback_url() {
    constexpr std::string_view subject = "callback_url";
    const auto& url = setup_.callback_url;
    if (const auto problem = web_url_problem(url); !problem.empty()) {
        return add(SetupLevel::wrong, subject, "it " + std::string{problem},
                   "write https://, a host and a path");
    }
    const auto parts = split_url(url);
    if (!is_public_host(parts->host)) {
        add(SetupLevel::wrong, subject, "Twilio cannot reach it: its host is not a public one",
            "give the address at which the internet reaches this program, or a tunnel's");
    } else if (!parts->is_https()) {
        add(SetupLevel::wrong, subject, "it is not https: what customers write goes in the clear",
            "serve it over https");
    } else {
        add(SetupLevel::ok, subject, "Twilio could call it, as far as its text tells");
    }
    judge_called_url();
}

/// Whether Twilio calls it for the sender, if that was found.
void SetupReport::judge_called_url() {
    if (!sender_) return;
    // A messaging service may have a URL that goes before the sender's.
    const auto level = setup_.has_messaging_service ? SetupLevel::warning : SetupLevel::wrong;
    if (sender_->callback_url.empty()) {
        add(level, "callback_url", "the sender has no callback URL: what customers write is lost",
            "set this one for the sender, in the Console");
    } else if (!is_same_url(sender_->callback_url, setup_.callback_url)) {
        add(level, "callback_url", "the sender has another callback URL",
            "set this one for the sender, in the Console, to the letter: it is signed");
    } else {
        add(SetupLevel::ok, "callback_url", "it is the sender's");
    }
}

}  // namespace twiliowa::detail
