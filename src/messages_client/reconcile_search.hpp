/// @file
/// Looking for messages whose fate is unknown.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <twiliowa/messages_client.hpp>

#include "messages_client/outbound_checks.hpp"

namespace twiliowa::detail {

/// Why nothing can be looked for like that.
std::optional<Error> wrong_search(const ReconcileOptions& where);

/// One message: what it looks like in a list, and what looked like it.
class ReconcileSearch {
public:
    static Result<ReconcileSearch> create(const OutboundMessage& message,
                                          const OutboundDefaults& defaults, TimePoint attempted_at,
                                          const ReconcileOptions& where);

    /// The list that the message is in: by recipient, and by sender where that is known.
    const MessageFilter& filter() const noexcept { return filter_; }
    /// Its recipient, as on the wire.
    const std::string& to() const noexcept { return to_; }
    /// What was created before is not it.
    TimePoint earliest() const noexcept { return earliest_; }

    /// Each once.
    void look_at(const Message& candidate);
    /// The messages that are like it, newest first.
    const std::vector<MessageSid>& same() const noexcept { return same_; }
    Reconciliation conclusion() const;

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
    TimePoint earliest_;
    TimePoint latest_;
    std::vector<MessageSid> same_;
    std::vector<MessageSid> possible_;
};

/// Messages that were sent for something else.
using OtherMessages = std::shared_ptr<const std::unordered_set<std::string>>;
OtherMessages other_messages(const std::vector<MessageSid>& known);

/// One list, newest first, that is walked once for all the messages that may be in it.
class ReconcileWalk {
public:
    ReconcileWalk(MessageFilter filter, OtherMessages others)
        : filter_(std::move(filter)), others_(std::move(others)) {}

    /// Returns the number that `search` has here.
    std::size_t add(ReconcileSearch search);
    const std::vector<ReconcileSearch>& searches() const noexcept { return searches_; }
    MessageFilter& filter() noexcept { return filter_; }
    const MessageFilter& filter() const noexcept { return filter_; }

    /// Whether older pages may still hold something.
    bool look_at(const Page<Message>& page);
    /// The walk ended there, and did not see what is older.
    void fail(const Error& error) { failure_ = error; }
    /// An error if not everything could be looked at that may be that message.
    Result<Reconciliation> conclusion(std::size_t number) const;

private:
    bool is_done(const ReconcileSearch& search) const noexcept {
        return reached_ < search.earliest();
    }

    MessageFilter filter_;
    OtherMessages others_;
    std::vector<ReconcileSearch> searches_;
    std::unordered_map<std::string, std::vector<std::size_t>> by_recipient_;
    TimePoint earliest_ = TimePoint::max();  ///< Of all searches.
    TimePoint reached_ = TimePoint::max();   ///< How far back the list was seen.
    std::unordered_set<std::string> seen_;   ///< Of those that somebody looks for.
    int pages_ = 0;
    std::optional<Error> failure_;
};

}  // namespace twiliowa::detail
