/// @file
/// What follows a message that did not arrive: the rules of a chain, without I/O or clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

inline constexpr std::size_t most_fallbacks = 3;
/// What the keys of the steps of a chain grow by, at most, with each.
inline constexpr std::size_t longest_chain_name = 9;

/// What the content hash begins with of a job that has fallbacks: it tells them from others without
/// opening what is sealed, and when that is erased.
inline constexpr std::string_view chained_content = "chain:";
inline bool has_fallbacks(const StoredJob& job) noexcept {
    return std::string_view{job.content_hash}.starts_with(chained_content);
}

/// Which fallback a failure calls for, by Twilio's code; nullopt: none.
/// @param category  what the template that failed is for
std::optional<FallbackWhen> called_for_by(int error_code,
                                          const TemplateCategory& category) noexcept;
/// Whether it failed in a way that its code decides about: for good, certainly, and unasked.
bool has_failed(const StoredJob& job) noexcept;
/// Whether its next step may go because it takes so long.
bool may_overtake(const StoredJob& job) noexcept;

/// Whether it goes by SMS. Of one that names its sender.
bool goes_by_sms(const Fallback& fallback) noexcept;
/// What the key of a step ends with.
inline constexpr std::string_view chain_step_names[] = {"/sms", "/template"};
std::string_view chain_step_name(const Fallback& fallback) noexcept;
/// The message of a step, to whom the first is for; nullopt: they have no phone number, and it is
/// an SMS.
std::optional<OutboundMessage> message_of_step(const Fallback& fallback,
                                               const OutboundMessage& first);

/// Which follows that failure; nullopt: none.
std::optional<std::size_t> next_step_for(std::span<const Fallback> fallbacks,
                                         const OutboundMessage& first, FallbackWhen failure);
/// Which follows by its time; nullopt: none.
std::optional<std::size_t> next_step_in_time(std::span<const Fallback> fallbacks,
                                             const OutboundMessage& first);

/// Refuses, by its name, what is wrong but for the messages' own checks. Of fallbacks that name
/// their senders.
Result<void> check_fallbacks(std::span<const Fallback> fallbacks, std::string_view key);
/// `fallbacks[0].message.from`
std::string fallback_field(std::size_t index, std::string_view member);

}  // namespace twiliowa::detail
