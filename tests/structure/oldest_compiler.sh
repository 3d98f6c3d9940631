#!/usr/bin/env bash
# Usage: oldest_compiler.sh <source tree> <scratch directory> <compiler>. The oldest compiler that the
# packages allow takes every header and every source. Where it is not installed it says so and ends with 77.
set -euo pipefail
tree=$1 work=$2 compiler=$3
if ! command -v "$compiler" >/dev/null; then
    echo "SKIPPED: structure.oldest_compiler: $compiler is not installed"
    exit 77
fi
mkdir -p "$work"
{
    (cd "$tree/include" && find twiliowa -name '*.hpp' | sort | sed 's/.*/#include <&>/')
    find "$tree/src" -name '*.cpp' | sort | sed 's/.*/#include "&"/'
} >"$work/all.cpp"
# shellcheck disable=SC2046 # a list of flags
"$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I"$tree/include" -I"$tree/src" $(pkg-config --cflags libpq) "$work/all.cpp"
