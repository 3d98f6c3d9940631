#include <twiliowa/outbox/job.hpp>

#include <charconv>
#include <cstddef>

#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

template <class Enum>
struct NamedValue {
    Enum value;
    std::string_view name;
};

constexpr NamedValue<JobState> job_state_names[] = {
    {JobState::ready, "ready"},         {JobState::claimed, "claimed"},
    {JobState::sending, "sending"},     {JobState::unknown, "unknown"},
    {JobState::held, "held"},           {JobState::accepted, "accepted"},
    {JobState::delivered, "delivered"}, {JobState::undelivered, "undelivered"},
    {JobState::dead, "dead"},           {JobState::cancelled, "cancelled"}};
constexpr NamedValue<DeadReason> dead_reason_names[] = {{DeadReason::none, "none"},
                                                        {DeadReason::refused, "refused"},
                                                        {DeadReason::exhausted, "exhausted"},
                                                        {DeadReason::expired, "expired"},
                                                        {DeadReason::opted_out, "opted_out"},
                                                        {DeadReason::unknown, "unknown"},
                                                        {DeadReason::no_consent, "no_consent"},
                                                        {DeadReason::quiet, "quiet"}};
constexpr NamedValue<Evidence> evidence_names[] = {{Evidence::none, "none"},
                                                   {Evidence::list, "list"},
                                                   {Evidence::person, "person"},
                                                   {Evidence::callback, "callback"},
                                                   {Evidence::answer, "answer"}};
constexpr NamedValue<AttemptState> attempt_state_names[] = {{AttemptState::open, "open"},
                                                            {AttemptState::sent, "sent"},
                                                            {AttemptState::not_sent, "not_sent"}};
constexpr NamedValue<Lane> lane_names[] = {
    {Lane::urgent, "urgent"}, {Lane::high, "high"}, {Lane::normal, "normal"}, {Lane::bulk, "bulk"}};
constexpr NamedValue<Outcome> outcome_names[] = {
    {Outcome::accepted, "accepted"},   {Outcome::delivered, "delivered"},
    {Outcome::read, "read"},           {Outcome::undelivered, "undelivered"},
    {Outcome::dead, "dead"},           {Outcome::held, "held"},
    {Outcome::cancelled, "cancelled"}, {Outcome::doubled, "doubled"}};
constexpr NamedValue<FallbackWhen> fallback_when_names[] = {
    {FallbackWhen::unreachable, "unreachable"}, {FallbackWhen::window_closed, "window_closed"}};
constexpr NamedValue<OnUnknown::Kind> on_unknown_names[] = {
    {OnUnknown::Kind::hold, "hold"},
    {OnUnknown::Kind::drop, "drop"},
    {OnUnknown::Kind::resend_after, "resend_after"},
    {OnUnknown::Kind::resend_now, "resend_now_may_duplicate"}};

template <class Enum, std::size_t Size>
std::string_view name_in(const NamedValue<Enum> (&names)[Size], Enum value) noexcept {
    for (const auto& each : names) {
        if (each.value == value) return each.name;
    }
    return "unknown";
}

template <class Enum, std::size_t Size>
std::optional<Enum> value_in(const NamedValue<Enum> (&names)[Size],
                             std::string_view name) noexcept {
    for (const auto& each : names) {
        if (each.name == name) return each.value;
    }
    return std::nullopt;
}

/// Takes what stands before the next colon off `text`.
std::string_view take_part(std::string_view& text) noexcept {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    text = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    return part;
}

std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t most) noexcept {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    if (number < 0 || number > most) return std::nullopt;
    return number;
}

}  // namespace
}  // namespace detail

std::string_view to_string(JobState state) noexcept {
    return detail::name_in(detail::job_state_names, state);
}
std::string_view to_string(DeadReason reason) noexcept {
    return detail::name_in(detail::dead_reason_names, reason);
}
std::string_view to_string(Evidence evidence) noexcept {
    return detail::name_in(detail::evidence_names, evidence);
}
std::string_view to_string(AttemptState state) noexcept {
    return detail::name_in(detail::attempt_state_names, state);
}
std::string_view to_string(Lane lane) noexcept {
    return detail::name_in(detail::lane_names, lane);
}
std::string_view to_string(Outcome outcome) noexcept {
    return detail::name_in(detail::outcome_names, outcome);
}
std::string_view to_string(FallbackWhen when) noexcept {
    return detail::name_in(detail::fallback_when_names, when);
}
std::optional<FallbackWhen> parse_fallback_when(std::string_view name) noexcept {
    return detail::value_in(detail::fallback_when_names, name);
}
std::optional<JobState> parse_job_state(std::string_view name) noexcept {
    return detail::value_in(detail::job_state_names, name);
}
std::optional<Lane> parse_lane(std::string_view name) noexcept {
    return detail::value_in(detail::lane_names, name);
}

std::string OnUnknown::str() const {
    auto text = std::string{detail::name_in(detail::on_unknown_names, kind_)};
    const auto add = [&](std::int64_t number) { text += ':' + std::to_string(number); };
    if (kind_ == Kind::drop || kind_ == Kind::resend_after) add(after_.count() / 1'000);
    if (kind_ == Kind::resend_after) add(min_looks_);
    if (kind_ == Kind::resend_now) add(max_attempts_);
    return text;
}

Result<OnUnknown> OnUnknown::parse(std::string_view text) {
    const auto wrong = [] {
        return Error::invalid_request(
            "on_unknown", "is none of the policies",
            "write hold, drop:SECONDS, resend_after:SECONDS:LOOKS or resend_now_may_duplicate:MAX");
    };
    constexpr std::int64_t longest = std::int64_t{10} * 365 * 24 * 3'600;
    const auto kind = detail::value_in(detail::on_unknown_names, detail::take_part(text));
    if (!kind) return wrong();
    auto made = hold();
    switch (*kind) {
        case Kind::hold:
            break;
        case Kind::drop:
            made = drop();
            break;
        case Kind::resend_after:
            made = resend_after(std::chrono::hours{1});
            break;
        case Kind::resend_now:
            made = resend_now_may_duplicate();
            break;
    }
    if (!text.empty() && (*kind == Kind::drop || *kind == Kind::resend_after)) {
        const auto after = detail::whole_number(detail::take_part(text), longest);
        if (!after) return wrong();
        made.after_ = std::chrono::seconds{*after};
    }
    if (!text.empty() && (*kind == Kind::resend_after || *kind == Kind::resend_now)) {
        const auto number = detail::whole_number(detail::take_part(text), 100);
        if (!number || *number == 0) return wrong();
        (*kind == Kind::resend_after ? made.min_looks_ : made.max_attempts_) =
            static_cast<int>(*number);
    }
    if (!text.empty()) return wrong();
    return made;
}

std::optional<JobId> JobId::parse(std::string_view text) noexcept {
    Bytes bytes{};
    if (text.size() != bytes.size() * 2) return std::nullopt;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto high = detail::hex_value(text[2 * i]);
        const auto low = detail::hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes[i] = static_cast<unsigned char>(high * 16 + low);
    }
    const JobId id{bytes};
    // In the one way that it is written.
    return id.str() == text ? std::optional{id} : std::nullopt;
}

std::string JobId::str() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes_.size() * 2);
    for (const auto byte : bytes_) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace twiliowa
