#include "outbox/dialogue_courier.hpp"

#include <algorithm>
#include <string>

#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {

std::string outbound_address(const std::string& wire) {
    const auto address = Address::from_wire(wire);
    return address.empty() ? wire : address.text();
}

InboxCourier::InboxCourier(TurnState& turn)
    : turn_(turn),
      jobs_(turn.jobs.size()),
      works_(turn.at_commit.size()),
      numbered_(turn.numbered) {}

Result<void> InboxCourier::reply(const TwimlMessage& message) {
    const auto job = turn_.reply(message);
    return job ? Result<void>{} : job.error();
}

Result<void> InboxCourier::enqueue(const OutboundMessage& message, const JobOptions* options) {
    const auto job = turn_.enqueue(message, options == nullptr ? turn_.reply_options : *options);
    return job ? Result<void>{} : job.error();
}

Result<void> InboxCourier::at_commit(std::function<void(const NativeTransaction&)> work) {
    turn_.at_commit.push_back(without_jobs(std::move(work)));
    return {};
}

void InboxCourier::expire_at(TimePoint end) {
    auto& expires = turn_.reply_options.expires_at;
    expires = expires ? std::min(*expires, end) : end;
}

void InboxCourier::drop() {
    const auto cut = [](auto& list, std::size_t size) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(size), list.end());
    };
    cut(turn_.jobs, jobs_);
    cut(turn_.at_commit, works_);
    turn_.numbered = numbered_;
}

Result<void> InboxCourier::hand_over(std::function<void()> undo) {
    turn_.undo.push_back(std::move(undo));
    return {};
}

Result<void> AnswerCourier::reply(const TwimlMessage& message) {
    MessagingResponse alone;
    alone.message(message);
    if (auto xml = alone.try_xml_for(message_.from); !xml) return xml.error();
    taken_.emplace_back(message);
    return {};
}

Result<void> AnswerCourier::enqueue(const OutboundMessage& message, const JobOptions*) {
    if (!client_) {
        return Error::invalid_request("client", "is not given, and the handler has no inbox",
                                      "give DialogueOptions::client, or the handler an inbox");
    }
    taken_.emplace_back(message);
    return {};
}

Result<void> AnswerCourier::at_commit(std::function<void(const NativeTransaction&)>) {
    return Error::invalid_request("at_commit", "needs an inbox, and the handler has none",
                                  "give WebhookOptions::inbox");
}

void AnswerCourier::drop() {
    taken_.clear();
    response_ = {};
}

bool AnswerCourier::is_at_most_once() const {
    return std::any_of(taken_.begin(), taken_.end(), [](const auto& each) {
        return std::holds_alternative<OutboundMessage>(each);
    });
}

Result<void> AnswerCourier::check() {
    response_ = {};
    if (is_at_most_once()) return {};
    for (const auto& each : taken_) response_.message(std::get<TwimlMessage>(each));
    if (auto xml = response_.try_xml_for(message_.from); !xml) return xml.error();
    return {};
}

Result<void> AnswerCourier::hand_over(std::function<void()> undo) {
    if (!is_at_most_once()) return {};
    bool first = true;
    for (const auto& each : taken_) {
        const auto* const text = std::get_if<TwimlMessage>(&each);
        const auto message =
            text == nullptr
                ? std::get<OutboundMessage>(each)
                : OutboundMessage{
                      .to = outbound_address(text->to.empty() ? message_.from : text->to),
                      .from = outbound_address(text->from.empty() ? message_.to : text->from),
                      .body = text->body,
                      .media_url = text->media,
                      .status_callback =
                          text->action.empty() ? text->status_callback : text->action};
        const auto sent = client_->try_send(message);
        if (!sent) {
            if (first && sent.error().effect() == Effect::none) undo();
            return sent.error();
        }
        first = false;
    }
    return {};
}

}  // namespace twiliowa::detail
