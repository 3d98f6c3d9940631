/// @file
/// What a check of the setup asks, one thing after the other, and what follows from the answers:
/// without a call of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/check_setup.hpp>
#include <twiliowa/types/account.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/channel_sender.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// How the client is set up.
struct SetupOfClient {
    Address from = {};
    bool has_messaging_service = false;
    bool has_api_key = false;
    std::string callback_url = {};  ///< Empty: none is to be looked at.
};

class SetupReport {
public:
    /// What is asked of Twilio.
    enum class Question { account, messages, balance, senders, none };

    explicit SetupReport(SetupOfClient setup) : setup_(std::move(setup)) {}

    /// The one to ask now.
    Question next() const noexcept { return next_; }
    void take(const Result<Account>& account);
    void take(const Result<Page<Message>>& messages);
    void take(const Result<Balance>& balance);
    void take(const Result<std::vector<ChannelSender>>& senders);

    /// All findings, once there is nothing more to ask.
    std::vector<SetupFinding> finish();

private:
    void add(SetupLevel level, std::string_view subject, std::string what,
             std::string_view way_out = {});
    void refuse_credentials(const Error& error);
    void leave_unchecked(std::string_view subject, const Error& error);
    void judge_account(const Account& account);
    void judge_sender(const ChannelSender& sender);
    void judge_missing_sender();
    /// Goes on with the senders, if there is one to look for.
    void turn_to_sender();
    void judge_callback_url();
    void judge_called_url();

    SetupOfClient setup_;
    Question next_ = Question::account;
    std::vector<SetupFinding> findings_;
    std::optional<ChannelSender> sender_;
};

}  // namespace twiliowa::detail
