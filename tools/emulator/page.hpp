/// @file
/// The page, made part of the program by CMake.
#pragma once

#include <cstddef>

namespace emulator {

extern const char page_html[];
extern const std::size_t page_html_size;

}  // namespace emulator
