/// @file
/// Twilio's record of a WhatsApp sender.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa {

/// Whether a sender can send: `s.status == ChannelSenderStatus::online`.
class ChannelSenderStatus : public OpenEnum<ChannelSenderStatus> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view creating = "CREATING";
    static constexpr std::string_view online = "ONLINE";
    static constexpr std::string_view offline = "OFFLINE";
    static constexpr std::string_view pending_verification = "PENDING_VERIFICATION";
    static constexpr std::string_view verifying = "VERIFYING";
    static constexpr std::string_view online_updating = "ONLINE:UPDATING";
    static constexpr std::string_view twilio_review = "TWILIO_REVIEW";
    static constexpr std::string_view draft = "DRAFT";
    static constexpr std::string_view stubbed = "STUBBED";
};

/// What became of a display name that was asked for. Meta reports the first three;
/// `PIN_MISMATCH`, `REGISTRATION_FAILED` and `EXPIRED` mean that it agreed and the name could not
/// be applied.
class DisplayNameStatus : public OpenEnum<DisplayNameStatus> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view pending_review = "PENDING_REVIEW";
    static constexpr std::string_view approved = "APPROVED";
    static constexpr std::string_view declined = "DECLINED";
    static constexpr std::string_view pin_mismatch = "PIN_MISMATCH";
    static constexpr std::string_view registration_failed = "REGISTRATION_FAILED";
    static constexpr std::string_view expired = "EXPIRED";
    static constexpr std::string_view completed = "COMPLETED";
};

/// Why a sender is offline.
struct OfflineReason {
    std::string code = {};
    std::string message = {};
    std::string more_info = {};  ///< A URL.
};

/// A sender as Twilio reports it. Absent and null fields are empty. Source: Twilio's Senders
/// resource (v2), and its Node library 6.2.0 for the names and dates of display names.
struct ChannelSender {
    ChannelSenderSid sid = {};
    ChannelSenderStatus status = {};
    std::string sender_id = {};  ///< `whatsapp:+14155238886`
    std::string friendly_name = {};
    std::string display_name = {};     ///< What customers see (`profile.name`).
    std::string quality_rating = {};   ///< As Meta says it: `HIGH`, ...
    std::string messaging_limit = {};  ///< As Meta says it: `10K Customers/24hr`.
    std::string waba_id = {};          ///< The WhatsApp Business Account.
    std::string callback_url = {};     ///< Where customers' messages go.
    std::string callback_method = {};
    std::string status_callback_url = {};
    std::vector<OfflineReason> offline_reasons = {};
    /// The display name that was asked for last; empty if none was.
    std::string pending_display_name = {};
    DisplayNameStatus pending_display_name_status = {};
    std::optional<TimePoint> pending_display_name_status_date = {};
};

}  // namespace twiliowa
