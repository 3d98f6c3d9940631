#include "outbox/chain.hpp"

#include <algorithm>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/message.hpp>

#include "text/ascii.hpp"

namespace twiliowa::detail {
namespace {

static_assert(chain_step_names[1].size() == longest_chain_name);

/// What may have been sent once more may have arrived.
bool is_doubtful(const StoredJob& job) noexcept {
    return job.in_doubt() || !job.doubles.empty();
}

/// Not by the list or a person alone.
bool is_proven(const StoredJob& job) noexcept {
    return job.evidence >= Evidence::callback;
}

/// The first of those that can go to whom the first message is for.
template <class Condition>
std::optional<std::size_t> first_that_fits(std::span<const Fallback> fallbacks,
                                           const OutboundMessage& first, Condition condition) {
    for (std::size_t i = 0; i < fallbacks.size(); ++i) {
        if (condition(fallbacks[i]) && message_of_step(fallbacks[i], first)) return i;
    }
    return std::nullopt;
}

}  // namespace

std::optional<FallbackWhen> called_for_by(int error_code,
                                          const TemplateCategory& category) noexcept {
    switch (error_code) {
        case 63003:  // no such number on WhatsApp
        case 63024:  // no recipient of such a message
        case 63032:  // part of an experiment of WhatsApp's
        case 63058:  // no such messages in their country
            return FallbackWhen::unreachable;
        case 63049:
            // Meta keeps marketing from who has had enough of it: no less so by SMS. A template of
            // which nothing is said may be that.
            if (category.empty() ||
                equals_ignoring_case(category.str(), TemplateCategory::marketing)) {
                return std::nullopt;
            }
            return FallbackWhen::unreachable;
        case 63016:
            return FallbackWhen::window_closed;
        default:
            return std::nullopt;
    }
}

bool has_failed(const StoredJob& job) noexcept {
    if (is_doubtful(job) || job.cancel_requested) return false;
    if (job.state == JobState::dead) return job.reason == DeadReason::refused;
    return job.state == JobState::undelivered && is_proven(job) &&
           (job.status == MessageStatus::undelivered || job.status == MessageStatus::failed);
}

bool may_overtake(const StoredJob& job) noexcept {
    return job.state == JobState::accepted && is_proven(job) && !is_doubtful(job) &&
           !job.cancel_requested;
}

bool goes_by_sms(const Fallback& fallback) noexcept {
    if (fallback.message.from.empty()) {
        return fallback.when == FallbackWhen::unreachable &&
               !fallback.message.messaging_service_sid.empty();
    }
    const auto from = Address::parse(fallback.message.from);
    return from && from->channel() == Address::Channel::sms;
}

std::string_view chain_step_name(const Fallback& fallback) noexcept {
    return chain_step_names[goes_by_sms(fallback) ? 0 : 1];
}

std::optional<OutboundMessage> message_of_step(const Fallback& fallback,
                                               const OutboundMessage& first) {
    const auto to = Address::parse(first.to);
    if (!to) return std::nullopt;
    auto message = fallback.message;
    if (goes_by_sms(fallback)) {
        if (to->phone_number().empty()) return std::nullopt;
        message.to = "sms:" + std::string{to->phone_number()};
    } else if (to->channel() == Address::Channel::sms) {
        message.to = "whatsapp:" + std::string{to->phone_number()};
    } else {
        message.to = to->text();
    }
    return message;
}

std::optional<std::size_t> next_step_for(std::span<const Fallback> fallbacks,
                                         const OutboundMessage& first, FallbackWhen failure) {
    if (failure == FallbackWhen::window_closed) {
        const auto own = first_that_fits(fallbacks, first, [](const Fallback& fallback) {
            return fallback.when == FallbackWhen::window_closed;
        });
        if (own) return own;
    }
    return first_that_fits(fallbacks, first, [](const Fallback& fallback) {
        return fallback.when == FallbackWhen::unreachable;
    });
}

std::optional<std::size_t> next_step_in_time(std::span<const Fallback> fallbacks,
                                             const OutboundMessage& first) {
    return first_that_fits(fallbacks, first, [](const Fallback& fallback) {
        return fallback.after_may_reach_twice.has_value();
    });
}

std::string fallback_field(std::size_t index, std::string_view member) {
    auto field = "fallbacks[" + std::to_string(index) + "]";
    if (!member.empty()) field.append(1, '.').append(member);
    return field;
}

Result<void> check_fallbacks(std::span<const Fallback> fallbacks, std::string_view key) {
    constexpr std::chrono::seconds longest = std::chrono::hours{24 * 7};
    constexpr std::size_t most_bytes = 200;
    if (fallbacks.size() > most_fallbacks) {
        return Error::invalid_request("fallbacks", "are more than 3");
    }
    if (!fallbacks.empty() && key.size() + fallbacks.size() * longest_chain_name > most_bytes) {
        return Error::invalid_request("key",
                                      "is too long for fallbacks, whose keys add to it: 200 bytes "
                                      "less 9 for each");
    }
    for (std::size_t i = 0; i < fallbacks.size(); ++i) {
        const auto& fallback = fallbacks[i];
        const auto& message = fallback.message;
        const bool sms = goes_by_sms(fallback);
        const auto wrong = [&](std::string_view member, std::string_view problem,
                               std::string_view hint = {}) {
            return Error::invalid_request(fallback_field(i, member), problem, hint);
        };
        if (!message.to.empty()) {
            return wrong("message.to", "is given",
                         "leave it empty: it goes to whom the job is for");
        }
        if (!message.from.empty()) {
            const auto field = fallback_field(i, "message.from");
            if (const auto from = Address::parse(message.from, field); !from) return from.error();
        }
        const auto& after = fallback.after_may_reach_twice;
        if (after && (*after < std::chrono::seconds{1} || *after > longest)) {
            return wrong("after_may_reach_twice", "is not between 1 second and 7 days");
        }
        if (fallback.when == FallbackWhen::unreachable && !sms) {
            return wrong("message.from", "is no sender of SMS, and WhatsApp does not reach them",
                         "give sms:+<number>, or a messaging service");
        }
        if (fallback.when == FallbackWhen::window_closed && !sms && message.content_sid.empty()) {
            return wrong("message.content_sid", "is missing, and the window is closed",
                         "give a template");
        }
        if (fallback.when == FallbackWhen::window_closed && i > 0 &&
            fallbacks[i - 1].when == FallbackWhen::unreachable) {
            return wrong("when", "is window_closed after unreachable",
                         "give those for window_closed first: those before the one that goes are "
                         "passed over");
        }
    }
    return {};
}

}  // namespace twiliowa::detail
