/// @file
/// The form parameters as a signature covers them.
#pragma once

#include <string_view>

#include "text/decoded_form.hpp"

namespace twiliowa::detail {

/// What is signed after the URL: the parameters sorted by the bytes of their names, each name
/// followed by its value; several values of a name sorted, each once. Written into the form's room,
/// so valid as long as the form, and until it is asked for again.
std::string_view signed_text(const DecodedForm& form);

}  // namespace twiliowa::detail
