/// @file
/// Twilio's record of a content template, and of its approval by WhatsApp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/content/finding.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Where a template stands with WhatsApp: `a.status == ApprovalStatus::approved`. Upper and lower
/// case are the same; Meta has more words than these.
class ApprovalStatus : public OpenEnum<ApprovalStatus> {
public:
    ApprovalStatus() noexcept = default;
    TWILIOWA_EXPORT explicit ApprovalStatus(std::string_view text);
    static constexpr std::string_view unsubmitted = "unsubmitted";
    static constexpr std::string_view received = "received";
    static constexpr std::string_view pending = "pending";  ///< For up to 48 hours.
    static constexpr std::string_view approved = "approved";
    static constexpr std::string_view rejected = "rejected";
    static constexpr std::string_view paused = "paused";      ///< By Meta, for its quality.
    static constexpr std::string_view disabled = "disabled";  ///< By Meta, for good.
};

/// Why WhatsApp rejected a template: `a.rejection_reason == RejectionReason::invalid_format`.
/// Meta's words, or a sentence.
class RejectionReason : public OpenEnum<RejectionReason> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view abusive_content = "ABUSIVE_CONTENT";
    static constexpr std::string_view incorrect_category = "INCORRECT_CATEGORY";
    static constexpr std::string_view invalid_format = "INVALID_FORMAT";
    static constexpr std::string_view none = "NONE";
    static constexpr std::string_view promotional = "PROMOTIONAL";
    static constexpr std::string_view scam = "SCAM";
    static constexpr std::string_view tag_content_mismatch = "TAG_CONTENT_MISMATCH";
};

/// A template's approval by WhatsApp. Absent and null fields are empty, or nullopt.
struct ContentApproval {
    ApprovalStatus status = {};
    std::string name = {};  ///< The name that it was submitted under.
    TemplateCategory category = {};
    std::string content_type = {};  ///< `twilio/text`
    RejectionReason rejection_reason = {};
    std::optional<bool> allow_category_change = {};
    std::optional<int> send_ttl_seconds = {};

    bool is_approved() const noexcept { return status == ApprovalStatus::approved; }
    /// Whether WhatsApp has still to judge it.
    bool is_pending() const noexcept {
        return status == ApprovalStatus::received || status == ApprovalStatus::pending;
    }
    friend bool operator==(const ContentApproval&, const ContentApproval&) = default;
};

/// What to ask WhatsApp for.
struct ApprovalRequest {
    TextField name = {};  ///< `order_update_v2`: a-z, 0-9 and _, up to 512 of them.
    TemplateCategory category = {};
    /// Whether Meta may choose another category. Default: Twilio's, which is yes.
    std::optional<bool> allow_category_change = {};
    /// Seconds after which Meta gives up on delivering a message made of it.
    std::optional<int> send_ttl_seconds = {};

    /// What is wrong with it, as far as it is known here: a name that was rejected or deleted is
    /// not usable again for 30 days, which only Twilio knows. Empty if nothing is.
    TWILIOWA_EXPORT ContentFindings check() const;
    /// The same, and whether the category fits what is submitted. `definition` itself is checked by
    /// `definition.check(ContentUse::whatsapp)`.
    TWILIOWA_EXPORT ContentFindings check(const ContentDefinition& definition) const;
};

/// A content template as Twilio keeps it. Absent and null fields are empty, or nullopt.
struct ContentTemplate {
    ContentSid sid = {};
    AccountSid account_sid = {};
    ContentDefinition definition = {};
    std::optional<TimePoint> date_created = {};
    std::optional<TimePoint> date_updated = {};
    /// From lists alone; otherwise ask ContentClient::fetch_approval.
    std::optional<ContentApproval> approval = {};
};

/// Which templates to search for. Empty fields do not filter.
struct ContentFilter {
    TextField name = {};     ///< A pattern of `friendly_name`; up to 450 characters.
    TextField content = {};  ///< A pattern of its text; up to 1,024 characters.
    TextList languages = {};
    TextList types = {};  ///< `twilio/text`, ...
    /// Those whose approval by WhatsApp is one of these.
    std::vector<ApprovalStatus> statuses = {};
    std::optional<TimePoint> created_after = {};
    std::optional<TimePoint> created_before = {};
    enum class Order { newest_first, oldest_first, by_name };
    Order order = Order::newest_first;
    int page_size = 100;  ///< 1 to 500.
};

}  // namespace twiliowa
