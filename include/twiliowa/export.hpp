#pragma once

/// @file
/// Marks what the shared library exports. Empty for the static library and the single header; it
/// never changes a layout.

#if __cplusplus < 202002L
#error "twiliowa needs C++20: compile with -std=c++20, or link its CMake target, which asks for it"
#endif

#if defined(TWILIOWA_SHARED) && (defined(__GNUC__) || defined(__clang__))
#define TWILIOWA_EXPORT __attribute__((visibility("default")))
#else
#define TWILIOWA_EXPORT
#endif
