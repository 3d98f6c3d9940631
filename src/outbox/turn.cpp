#include <twiliowa/outbox/turn.hpp>

#include <string>
#include <utility>

#include <twiliowa/types/address.hpp>

#include "outbox/turn_state.hpp"
#include "text/ascii.hpp"
#include "webhook/webhook_fields.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Who wrote, and to whom.
struct EventAddresses {
    std::string from = {};
    std::string to = {};
};

EventAddresses addresses_of(const WebhookEvent& event) {
    if (const auto* message = std::get_if<InboundMessage>(&event)) {
        return {message->from, message->to};
    }
    if (const auto* unknown = std::get_if<UnknownWebhook>(&event)) {
        return {std::string{find_parameter(unknown->parameters, "From")},
                std::string{find_parameter(unknown->parameters, "To")}};
    }
    return {};
}

/// As a message's `to` is written: on the wire a bare number is SMS.
std::string as_outbound(const std::string& wire) {
    const auto address = Address::from_wire(wire);
    return address.empty() ? wire : address.text();
}

}  // namespace

Result<TurnJob> TurnState::reply(const TwimlMessage& message) {
    if (!message.method.empty() && !equals_ignoring_case(message.method, "POST")) {
        return Error::invalid_request("method", "is not POST",
                                      "status callbacks of what an outbox sends come by POST");
    }
    const auto event_addresses = addresses_of(event);
    const OutboundMessage outbound{
        .to = as_outbound(message.to.empty() ? event_addresses.from : message.to),
        .from = as_outbound(message.from.empty() ? event_addresses.to : message.from),
        .body = message.body,
        .media_url = message.media,
        .status_callback = message.action.empty() ? message.status_callback : message.action};
    return enqueue(outbound, reply_options);
}

Result<TurnJob> TurnState::enqueue(const OutboundMessage& message, JobOptions options) {
    if (intake == nullptr) {
        return Error::invalid_request("outbox", "is not there: the inbox was made without one",
                                      "make the DurableInbox of an Outbox");
    }
    const bool is_numbered = options.key.empty();
    if (is_numbered) {
        options.key = key_prefix + '/' + std::to_string(numbered + 1);
        // What one event says leaves in the order in which it is said.
        if (options.order_key.empty()) options.order_key = key_prefix;
    }
    auto job = intake->prepare(message, options);
    if (!job) return job.error();
    // The key is new with this event.
    if (is_numbered && job->too_late) return *job->too_late;
    if (is_numbered) ++numbered;
    TurnJob named{options.tenant, options.key, job->stored.id};
    jobs.push_back(std::move(*job));
    return named;
}

Result<void> TurnState::answer(const MessagingResponse& response) {
    for (const auto& message : response.messages()) {
        if (auto taken = reply(message); !taken) return taken.error();
    }
    return {};
}

}  // namespace detail

const InboundMessage& Turn::message() const noexcept {
    return *std::get_if<InboundMessage>(&state_.event);
}

int Turn::tries() const noexcept {
    return state_.tries;
}

const CancelToken& Turn::lease_lost() const noexcept {
    return state_.lease_lost;
}

TurnJob Turn::reply(std::string_view text) {
    return reply(TwimlMessage{.body = std::string{text}});
}

TurnJob Turn::reply(const TwimlMessage& message) {
    return try_reply(message).value();
}

Result<TurnJob> Turn::try_reply(const TwimlMessage& message) {
    return state_.reply(message);
}

TurnJob Turn::enqueue(const OutboundMessage& message, const JobOptions& options) {
    return try_enqueue(message, options).value();
}

Result<TurnJob> Turn::try_enqueue(const OutboundMessage& message, const JobOptions& options) {
    return state_.enqueue(message, options);
}

void Turn::at_commit(std::function<void(const NativeTransaction&)> work) {
    state_.at_commit.push_back(detail::without_jobs(std::move(work)));
}

void Turn::at_commit(
    std::function<void(const NativeTransaction&, std::span<const EnqueuedJob>)> work) {
    state_.at_commit.push_back(std::move(work));
}

}  // namespace twiliowa
