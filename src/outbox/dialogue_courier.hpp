/// @file
/// How what a step answers leaves, once the state is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/messaging_response.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>

#include "outbox/turn_state.hpp"

namespace twiliowa::detail {

/// Takes what one run of a step answers. Nothing leaves before `hand_over`.
class DialogueCourier {
public:
    virtual ~DialogueCourier() = default;
    virtual Result<void> reply(const TwimlMessage& message) = 0;
    /// @param options  null: those of replies
    virtual Result<void> enqueue(const OutboundMessage& message, const JobOptions* options) = 0;
    virtual Result<void> at_commit(std::function<void(const NativeTransaction&)> work) = 0;
    /// Nothing of it may leave after that.
    virtual void expire_at(TimePoint end) = 0;

    /// Forgets what it has taken: the step runs again.
    virtual void drop() = 0;
    /// Whether it could leave, as far as that can be told.
    virtual Result<void> check() = 0;
    /// Whether it may leave once only: then a message that comes again is not answered again.
    virtual bool is_at_most_once() const = 0;
    /// The state is written: now it leaves. `undo` puts the state back.
    virtual Result<void> hand_over(std::function<void()> undo) = 0;
};

/// With an inbox: all becomes jobs, committed with the event.
class InboxCourier final : public DialogueCourier {
public:
    explicit InboxCourier(TurnState& turn);
    Result<void> reply(const TwimlMessage& message) override;
    Result<void> enqueue(const OutboundMessage& message, const JobOptions* options) override;
    Result<void> at_commit(std::function<void(const NativeTransaction&)> work) override;
    void expire_at(TimePoint end) override;
    void drop() override;
    Result<void> check() override { return {}; }
    bool is_at_most_once() const override { return false; }
    Result<void> hand_over(std::function<void()> undo) override;

private:
    TurnState& turn_;
    const std::size_t jobs_;
    const std::size_t works_;
    const int numbered_;
};

/// Without one: texts are the answer to Twilio's request. With anything else all is sent.
class AnswerCourier final : public DialogueCourier {
public:
    AnswerCourier(const InboundMessage& message, const std::optional<MessagesClient>& client)
        : message_(message), client_(client) {}
    Result<void> reply(const TwimlMessage& message) override;
    Result<void> enqueue(const OutboundMessage& message, const JobOptions* options) override;
    Result<void> at_commit(std::function<void(const NativeTransaction&)> work) override;
    void expire_at(TimePoint) override {}
    void drop() override;
    Result<void> check() override;
    bool is_at_most_once() const override;
    Result<void> hand_over(std::function<void()> undo) override;

    MessagingResponse response() && { return std::move(response_); }

private:
    const InboundMessage& message_;
    const std::optional<MessagesClient>& client_;
    std::vector<std::variant<TwimlMessage, OutboundMessage>> taken_;
    MessagingResponse response_;
};

/// As a message's `to` is written: on the wire a bare number is SMS.
std::string outbound_address(const std::string& wire);

}  // namespace twiliowa::detail
