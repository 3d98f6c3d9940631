/// @file
/// The spellings of a URL that Twilio may have signed.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/url.hpp"

namespace twiliowa::detail {

/// Which ports to try, the one given first.
struct SignaturePorts {
    std::array<std::string_view, 3> list = {};
    std::size_t count = 0;
    const std::string_view* begin() const noexcept { return list.data(); }
    const std::string_view* end() const noexcept { return list.data() + count; }
};
SignaturePorts ports_to_try(const UrlParts& url) noexcept;

/// `rest` with `from` replaced by `to` wherever it is in the query; empty if it is not.
std::string respell_query(std::string_view rest, std::string_view from, std::string_view to);

}  // namespace twiliowa::detail
