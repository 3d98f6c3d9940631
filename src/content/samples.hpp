/// @file
/// Examples for a template's variables.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "content/json.hpp"

namespace twiliowa::detail {

/// By the names of their variables.
using ContentSamples = std::map<std::string, std::string, std::less<>>;

/// The samples of a definition that is written as JSON. One that is no text is there as `x`.
ContentSamples samples_of(const ContentJson& definition);

/// Whether there is one for each variable of `text`.
bool has_all_samples(std::string_view text, const ContentSamples& samples);

/// `text` with the samples filled in; `x` where there is none, since none is ever filled in with
/// nothing.
std::string with_samples(std::string_view text, const ContentSamples& samples);

}  // namespace twiliowa::detail
