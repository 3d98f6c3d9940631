/// @file
/// How much fits into one message, whichever way it is sent.
#pragma once

#include <cstddef>
#include <optional>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Code points.
inline constexpr std::size_t max_body_characters = 1600;
inline constexpr std::size_t max_media_files = 10;

inline std::optional<Error> body_length_problem(std::size_t characters) {
    if (characters <= max_body_characters) return std::nullopt;
    return Error::invalid_request("Body", "has more than 1600 characters",
                                  "split it into several messages: split_text", 21617);
}

inline std::optional<Error> media_count_problem(std::size_t files, bool on_whatsapp) {
    if (files > 1 && on_whatsapp) {
        return Error::invalid_request("MediaUrl", "names more than one file",
                                      "WhatsApp takes one per message and drops the others; send "
                                      "several messages",
                                      21623);
    }
    if (files > max_media_files) {
        return Error::invalid_request("MediaUrl", "names more than ten files", {}, 21623);
    }
    return std::nullopt;
}

}  // namespace twiliowa::detail
