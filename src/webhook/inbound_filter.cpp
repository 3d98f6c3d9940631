#include <twiliowa/webhook/inbound_filter.hpp>

#include <algorithm>
#include <string>

#include "text/ascii.hpp"
#include "text/media_type.hpp"

namespace twiliowa::inbound {

namespace {

bool is_words(const InboundMessage& message) noexcept {
    const bool is_typed =
        message.message_type.empty() || detail::equals_ignoring_case(message.message_type, "text");
    return is_typed && !message.body.empty() && message.media.empty() && !message.location &&
           !message.button && !message.list && message.interactive_data.empty();
}

/// `pattern` is a whole type, or ends in `/` and is a family of them.
bool fits_media_pattern(std::string_view type, std::string_view pattern) noexcept {
    type = detail::bare_media_type(type);
    if (pattern.ends_with('/')) type = type.substr(0, pattern.size());
    return detail::equals_ignoring_case(type, pattern);
}

}  // namespace

InboundFilter any() {
    return InboundFilter{[](const InboundMessage&) { return true; }};
}

InboundFilter text() {
    return InboundFilter{is_words};
}

InboundFilter text(std::string_view words) {
    return InboundFilter::naming([words = std::string{detail::trim(words, detail::white_space)}](
                                     const InboundMessage& message) {
        return is_words(message) &&
               detail::equals_ignoring_case(detail::trim(message.body, detail::white_space), words);
    });
}

InboundFilter opt_out() {
    return InboundFilter::naming([](const InboundMessage& message) {
        if (message.taken_for_stop) return true;
        const auto is = [&](std::string_view type) {
            return detail::equals_ignoring_case(message.opt_out_type.str(), type);
        };
        return is(OptOutType::stop) || is(OptOutType::start) || is(OptOutType::help);
    });
}

InboundFilter media() {
    return InboundFilter{[](const InboundMessage& message) { return !message.media.empty(); }};
}

InboundFilter media(std::string_view content_type) {
    return InboundFilter{[type = std::string{content_type}](const InboundMessage& message) {
        return std::any_of(
            message.media.begin(), message.media.end(),
            [&](const InboundMedia& file) { return fits_media_pattern(file.content_type, type); });
    }};
}

InboundFilter location() {
    return InboundFilter{
        [](const InboundMessage& message) { return message.location.has_value(); }};
}

InboundFilter button() {
    return InboundFilter{[](const InboundMessage& message) { return message.button.has_value(); }};
}

InboundFilter button(std::string_view answer) {
    return InboundFilter::naming([answer = std::string{answer}](const InboundMessage& message) {
        return message.button && message.button_answer() == answer;
    });
}

InboundFilter list() {
    return InboundFilter{[](const InboundMessage& message) { return message.list.has_value(); }};
}

InboundFilter list(std::string_view id) {
    return InboundFilter::naming([id = std::string{id}](const InboundMessage& message) {
        return message.list && message.list->id == id;
    });
}

InboundFilter flow() {
    return InboundFilter{
        [](const InboundMessage& message) { return !message.interactive_data.empty(); }};
}

InboundFilter referral() {
    return InboundFilter{
        [](const InboundMessage& message) { return message.referral.has_value(); }};
}

InboundFilter from(std::string_view address) {
    return InboundFilter{[address = std::string{address}](const InboundMessage& message) {
        return message.from == address;
    }};
}

InboundFilter to(std::string_view address) {
    return InboundFilter{[address = std::string{address}](const InboundMessage& message) {
        return message.to == address;
    }};
}

}  // namespace twiliowa::inbound
