# What only someone who works on twiliowa itself wants. A package's build does not get here: it builds
# no tests (TWILIOWA_DEVELOPMENT).

option(TWILIOWA_WERROR "Treat warnings as errors" OFF)
option(TWILIOWA_FUZZ "Make the fuzz targets fuzzers, and not only tests (clang only)" OFF)
option(TWILIOWA_SYNTAX_ONLY "Have the sources read by the compiler, and make no objects" OFF)
set(TWILIOWA_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion)
# With -O2 GCC 12 warns of "text" + std::string itself (GCC's bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)
endif()
if(TWILIOWA_WERROR)
  add_compile_options(-Werror)
endif()

if(TWILIOWA_SYNTAX_ONLY)
  add_compile_options(-fsyntax-only)
endif()

if(TWILIOWA_SANITIZE)
  add_compile_options(-fsanitize=${TWILIOWA_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TWILIOWA_SANITIZE})
endif()

# The libraries tell a fuzzer where they have been. (tests/CMakeLists.txt: the tests do not.)
if(TWILIOWA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Links the many programs in half the time, where binutils has it.
find_program(TWILIOWA_GOLD ld.gold)
if(TWILIOWA_GOLD AND NOT TWILIOWA_SANITIZE)
  add_link_options(-fuse-ld=gold)
endif()

# ccache caches files that use a precompiled header only when told that it may. It looks at the headers
# as they are (DEPEND) and not as the preprocessor leaves them: a precompiled header knows what has
# #pragma once by its bytes, and one from before a comment was changed would let it in a second time.
find_program(TWILIOWA_CCACHE ccache)
if(TWILIOWA_CCACHE AND (NOT CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_CXX_COMPILER_LAUNCHER STREQUAL ccache))
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_DEPEND=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${TWILIOWA_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
                      "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
endif()
