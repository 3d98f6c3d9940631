/// @file
/// Looking for a message whose fate is unknown.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>

#include "messages_client/outbound_checks.hpp"

namespace twiliowa::detail {

/// Compares pages of a list (newest first) with what was attempted.
class ReconcileSearch {
public:
    static Result<ReconcileSearch> create(const OutboundMessage& message,
                                          const OutboundDefaults& defaults, TimePoint attempted_at,
                                          const ReconcileOptions& where);

    const MessageFilter& filter() const noexcept { return filter_; }
    /// Whether older pages may still hold something.
    bool look_at(const Page<Message>& page);
    /// An error if not everything could be looked at.
    Result<Reconciliation> conclusion() const;

private:
    enum class Likeness { none, possible, same };

    Likeness compare(const Message& candidate) const;
    Likeness compare_content(const Message& candidate) const;

    MessageFilter filter_;
    std::string to_;
    std::string from_;
    std::string messaging_service_sid_;
    std::string body_;
    int num_media_ = 0;
    /// A template goes, or may have gone instead.
    bool may_be_template_ = false;
    bool is_template_ = false;
    std::vector<std::string> template_values_;  ///< White space as compare_content reads it.
    std::string expected_text_;                 ///< The same; empty if it is not known.
    std::vector<MessageSid> known_;
    TimePoint earliest_;
    TimePoint latest_;
    int pages_ = 0;
    bool cut_short_ = false;
    std::vector<MessageSid> same_;
    std::vector<MessageSid> possible_;
};

}  // namespace twiliowa::detail
