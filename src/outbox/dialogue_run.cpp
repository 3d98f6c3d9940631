#include "outbox/dialogue_run.hpp"

#include <utility>

#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Of several names of one answer the first that says something.
std::string first_said(std::string_view id, std::string_view title, std::string_view body) {
    if (!id.empty() && !is_asked_id(id)) return std::string{id};
    if (!title.empty()) return std::string{title};
    return std::string{trim(body, white_space)};
}

}  // namespace

Result<void> DialogueRun::check_window() {
    if (is_window_known || !options.window) return {};
    if (parties.customer.channel() != Address::Channel::whatsapp) return {};
    const auto window = options.window->state(parties.sender, parties.customer);
    if (!window) return window.error();
    if (!window->known) return {};
    if (!window->open) {
        return Error::invalid_request(
            "Body", "is a reply, and the 24-hour window of the customer is closed",
            "send an approved template", 63016);
    }
    courier.expire_at(window->until);
    is_window_known = true;
    return {};
}

Result<void> DialogueRun::reply(const TwimlMessage& answer) {
    if (auto open = check_window(); !open) return open;
    return courier.reply(answer);
}

Result<void> DialogueRun::ask(AskedBy by, std::string_view question, const TextList& titles) {
    auto variables = asking_variables(by, question, titles);
    if (!variables) return variables.error();
    auto sid = contents.find(by, titles.size(), message.account_sid.str());
    if (!sid) return sid.error();
    if (auto open = check_window(); !open) return open;
    return courier.enqueue({.to = outbound_address(message.from),
                            .from = outbound_address(message.to),
                            .content_sid = std::move(*sid),
                            .content_variables = std::move(*variables)},
                           nullptr);
}

Result<void> DialogueRun::next(std::string_view name) {
    if (!steps.contains(name)) {
        fault = Error::invalid_request("next", "is no step of this dialogue",
                                       "add a step of that name before attach");
        return *fault;
    }
    state.step = name;
    return {};
}

}  // namespace detail

const InboundMessage& DialogueTurn::message() const noexcept {
    return run_.message;
}

std::string_view DialogueTurn::step() const noexcept {
    return run_.step;
}

std::string DialogueTurn::answer() const {
    const auto& message = run_.message;
    if (message.button) {
        return detail::first_said(message.button->payload, message.button->text, message.body);
    }
    if (message.list) {
        return detail::first_said(message.list->id, message.list->title, message.body);
    }
    return detail::first_said({}, {}, message.body);
}

std::optional<std::int64_t> DialogueTurn::number() const {
    const auto text = answer();
    std::string_view digits = text;
    if (digits.size() > 1 && digits.front() == '+' && detail::is_digit(digits[1])) {
        digits.remove_prefix(1);
    }
    return detail::parse_number<std::int64_t>(digits);
}

const CancelToken& DialogueTurn::lease_lost() const noexcept {
    return run_.lease_lost;
}

const std::string& DialogueTurn::get(std::string_view name) const noexcept {
    static const std::string nothing;
    const auto found = run_.state.values.find(name);
    return found == run_.state.values.end() ? nothing : found->second;
}

bool DialogueTurn::has(std::string_view name) const noexcept {
    return run_.state.values.contains(name);
}

void DialogueTurn::set(std::string_view name, std::string_view value) {
    run_.state.values.insert_or_assign(std::string{name}, std::string{value});
}

void DialogueTurn::set(std::string_view name, std::int64_t number) {
    set(name, std::to_string(number));
}

void DialogueTurn::unset(std::string_view name) {
    const auto found = run_.state.values.find(name);
    if (found != run_.state.values.end()) run_.state.values.erase(found);
}

void DialogueTurn::reply(std::string_view text) {
    reply(TwimlMessage{.body = std::string{text}});
}

void DialogueTurn::reply(const TwimlMessage& message) {
    run_.reply(message).value();
}

void DialogueTurn::buttons(std::string_view question, const TextList& titles) {
    run_.ask(detail::AskedBy::buttons, question, titles).value();
}

void DialogueTurn::rows(std::string_view question, const TextList& titles) {
    run_.ask(detail::AskedBy::rows, question, titles).value();
}

void DialogueTurn::enqueue(const OutboundMessage& message, const JobOptions& options) {
    run_.courier.enqueue(message, &options).value();
}

void DialogueTurn::at_commit(std::function<void(const NativeTransaction&)> work) {
    run_.courier.at_commit(std::move(work)).value();
}

void DialogueTurn::next(std::string_view step) {
    run_.next(step).value();
}

void DialogueTurn::end() {
    run_.state = {.version = run_.options.version};
}

}  // namespace twiliowa
