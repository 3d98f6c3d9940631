#include <twiliowa/webhook/inbound_filter.hpp>

#include <algorithm>
#include <string>

#include <twiliowa/types/error.hpp>

#include "text/ascii.hpp"
#include "text/media_type.hpp"

namespace twiliowa::inbound {

namespace {

/// Twilio documents the one, and sends the other.
bool is_flow(const InboundMessage& message) noexcept {
    return !message.flow_data.empty() || !message.interactive_data.empty();
}

bool is_words(const InboundMessage& message) noexcept {
    const bool is_typed =
        message.message_type.empty() || detail::equals_ignoring_case(message.message_type, "text");
    return is_typed && !message.body.empty() && message.media.empty() && !message.location &&
           !message.button && !message.list && message.button_type.empty() && !is_flow(message);
}

/// What a type is compared with: a whole one, or a family that ends in `/`; empty for any file.
struct MediaPattern {
    std::string type = {};

    bool fits(std::string_view content_type) const noexcept {
        const auto bare = detail::bare_media_type(content_type);
        return detail::equals_ignoring_case(
            type.empty() || type.ends_with('/') ? bare.substr(0, type.size()) : bare, type);
    }
};

/// `image/png`, `image/`, `image/*`, `image`, `*/*`, `*`.
MediaPattern parse_media_pattern(std::string_view text) {
    auto type = detail::bare_media_type(text);
    if (type == "*" || type == "*/*") return {};
    if (type.ends_with("/*")) type.remove_suffix(1);
    const auto slash = type.find('/');
    if (slash == 0 || type.empty() || type.find_first_of("* \t,") != std::string_view::npos ||
        (slash != std::string_view::npos && type.find('/', slash + 1) != std::string_view::npos)) {
        Error::invalid_request("content_type", "is neither a media type nor a family of them",
                               "image/png, image/ or image/* for all images, */* for any file")
            .raise();
    }
    return {std::string{type} + (slash == std::string_view::npos ? "/" : "")};
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
        return detail::equals_ignoring_case(detail::trim(message.body, detail::white_space),
                                            words) &&
               is_words(message);
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
    return InboundFilter{
        [pattern = parse_media_pattern(content_type)](const InboundMessage& message) {
            return std::any_of(
                message.media.begin(), message.media.end(),
                [&](const InboundMedia& file) { return pattern.fits(file.content_type); });
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
    return InboundFilter{is_flow};
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
