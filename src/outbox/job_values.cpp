#include "outbox/job_values.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

namespace twiliowa::detail {

namespace {

std::string_view bytes_at(const unsigned char* data, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(data), size};
}

/// Rows come from other programs, too: what no clock here can count is the first or last it can.
template <class Unit>
TimePoint nearest_time(Unit since_epoch) noexcept {
    constexpr auto first = std::chrono::ceil<Unit>(TimePoint::min().time_since_epoch());
    constexpr auto last = std::chrono::floor<Unit>(TimePoint::max().time_since_epoch());
    return TimePoint{std::clamp(since_epoch, first, last)};
}

}  // namespace

std::string_view bytes_of(const JobId& id) noexcept {
    return bytes_at(id.bytes().data(), id.bytes().size());
}

std::string_view bytes_of(const AttemptNonce& nonce) noexcept {
    return bytes_at(nonce.data(), nonce.size());
}

JobId read_job_id(std::string_view bytes) noexcept {
    JobId::Bytes id{};
    std::memcpy(id.data(), bytes.data(), std::min(id.size(), bytes.size()));
    return JobId{id};
}

AttemptNonce read_nonce(std::string_view bytes) noexcept {
    AttemptNonce nonce{};
    std::memcpy(nonce.data(), bytes.data(), std::min(nonce.size(), bytes.size()));
    return nonce;
}

std::int64_t stored_time(TimePoint time) noexcept {
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

TimePoint time_of_stored(std::int64_t microseconds_since_epoch) noexcept {
    return nearest_time(std::chrono::microseconds{microseconds_since_epoch});
}

std::int64_t row_limit(std::size_t limit) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return limit > static_cast<std::size_t>(most) ? most : static_cast<std::int64_t>(limit);
}

// Each with its length before it.
std::string join_texts(const std::vector<std::string>& texts) {
    std::string joined;
    for (const auto& text : texts) joined += std::to_string(text.size()) + ':' + text;
    return joined;
}

std::vector<std::string> split_texts(std::string_view joined) {
    std::vector<std::string> texts;
    while (!joined.empty()) {
        std::size_t size = 0;
        const auto colon = joined.find(':');
        std::from_chars(joined.data(), joined.data() + std::min(colon, joined.size()), size);
        if (colon == std::string_view::npos || size > joined.size() - colon - 1) break;
        texts.emplace_back(joined.substr(colon + 1, size));
        joined.remove_prefix(colon + 1 + size);
    }
    return texts;
}

std::string write_counted(const std::vector<CountedAttempt>& counted) {
    std::string text;
    for (const auto& attempt : counted) {
        text += std::to_string(attempt.number) + (attempt.counts ? '+' : '-');
        if (!attempt.of.empty()) {
            text += std::to_string(attempt.of.size()) + ':' + attempt.of +
                    std::to_string(attempt.amount) + '=';
        }
        for (std::size_t i = 0; i < attempt.time_slots.size(); ++i) {
            const auto& slot = attempt.time_slots[i];
            const auto begin =
                std::chrono::floor<std::chrono::seconds>(slot.begin.time_since_epoch());
            text += (i == 0 ? "" : ",") + std::to_string(slot.period) + '@' +
                    std::to_string(begin.count());
        }
        text += ';';
    }
    return text;
}

std::vector<CountedAttempt> read_counted(std::string_view text) {
    // What cannot be read ends it.
    const auto number = [&](std::int64_t& into) {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), into);
        text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
        return read.ec == std::errc{} && !text.empty();
    };
    const auto next = [&] {
        const char c = text.front();
        text.remove_prefix(1);
        return c;
    };
    std::vector<CountedAttempt> counted;
    while (!text.empty()) {
        CountedAttempt attempt;
        std::int64_t attempt_number = 0;
        if (!number(attempt_number)) break;
        attempt.number = static_cast<int>(attempt_number);
        attempt.counts = next() == '+';
        while (!text.empty() && text.front() != ';') {
            CountedSlot slot;
            std::int64_t begin = 0;
            if (!number(slot.period)) return counted;
            if (text.front() == ':') {
                // It was the size of a name.
                text.remove_prefix(1);
                const auto size = static_cast<std::size_t>(std::exchange(slot.period, 0));
                if (size > text.size()) return counted;
                attempt.of = text.substr(0, size);
                text.remove_prefix(size);
                if (!number(attempt.amount) || next() != '=') return counted;
                continue;
            }
            if (next() != '@' || !number(begin)) return counted;
            slot.begin = nearest_time(std::chrono::seconds{begin});
            attempt.time_slots.push_back(slot);
            if (text.front() == ',') text.remove_prefix(1);
        }
        if (!text.empty()) text.remove_prefix(1);
        counted.push_back(std::move(attempt));
    }
    return counted;
}

OnUnknown read_policy(std::string_view text) {
    // Most jobs'.
    if (text == "hold") return OnUnknown::hold();
    return OnUnknown::parse(text).value_or(OnUnknown::hold());
}

bool is_leased(const StoredJob& job) noexcept {
    return job.state == JobState::claimed || job.state == JobState::sending ||
           job.lease_until != LeaseTime{};
}

}  // namespace twiliowa::detail
