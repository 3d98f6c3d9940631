#pragma once

/// @file
/// The library's version, for `#if`. CMake, pkg-config and the shared library's name read it here.

#define TWILIOWA_VERSION_MAJOR 0
#define TWILIOWA_VERSION_MINOR 2
#define TWILIOWA_VERSION_PATCH 0

/// The same as text, for log lines and the User-Agent header.
#define TWILIOWA_VERSION_STRING "0.2.0"
