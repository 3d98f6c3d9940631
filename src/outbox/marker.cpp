#include "outbox/marker.hpp"

#include <algorithm>
#include <array>

namespace twiliowa::detail {
namespace {

constexpr std::string_view marker_digits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t marker_bytes = 20;
constexpr std::size_t marker_length = marker_bytes * 8 / 5;

}  // namespace

std::string Marker::str() const {
    std::array<unsigned char, marker_bytes> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<unsigned char>(outbox >> (24 - 8 * i));
    }
    std::copy(job.bytes().begin(), job.bytes().end(), bytes.begin() + 4);
    std::copy(nonce.begin(), nonce.end(), bytes.begin() + 14);
    std::string text;
    text.reserve(marker_length);
    for (std::size_t group = 0; group < marker_bytes; group += 5) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | bytes[group + i];
        for (int shift = 35; shift >= 0; shift -= 5) text += marker_digits[bits >> shift & 31];
    }
    return text;
}

std::optional<Marker> Marker::parse(std::string_view text) noexcept {
    if (text.size() != marker_length) return std::nullopt;
    std::array<unsigned char, marker_bytes> bytes{};
    for (std::size_t group = 0; group < 4; ++group) {
        std::uint64_t bits = 0;
        for (const char digit : text.substr(group * 8, 8)) {
            const auto value = marker_digits.find(digit);
            if (value == std::string_view::npos) return std::nullopt;
            bits = bits << 5 | value;
        }
        for (std::size_t i = 0; i < 5; ++i) {
            bytes[group * 5 + i] = static_cast<unsigned char>(bits >> (32 - 8 * i));
        }
    }
    Marker marker;
    for (std::size_t i = 0; i < 4; ++i) marker.outbox = marker.outbox << 8 | bytes[i];
    JobId::Bytes job{};
    std::copy_n(bytes.begin() + 4, job.size(), job.begin());
    marker.job = JobId{job};
    std::copy_n(bytes.begin() + 14, marker.nonce.size(), marker.nonce.begin());
    return marker;
}

std::string with_marker(std::string_view url, const Marker& marker) {
    const auto fragment = std::min(url.find('#'), url.size());
    auto marked = std::string{url.substr(0, fragment)};
    const auto query = marked.find('?');
    if (query == std::string::npos) {
        marked += '?';
    } else if (marked.back() != '?' && marked.back() != '&') {
        marked += '&';
    }
    marked += marker_name;
    marked += '=';
    marked += marker.str();
    marked += url.substr(fragment);
    return marked;
}

}  // namespace twiliowa::detail
