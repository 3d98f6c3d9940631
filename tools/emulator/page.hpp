/// @file
/// The page, made part of the program by CMake, and what a browser may do with it.
#pragma once

#include <cstddef>
#include <string>

namespace emulator {

extern const char page_html[];
extern const std::size_t page_html_size;

/// The Content-Security-Policy that lets the page run its own script and no other, whatever texts
/// it shows.
const std::string& page_policy();

}  // namespace emulator
