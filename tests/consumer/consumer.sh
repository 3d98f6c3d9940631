#!/usr/bin/env bash
# Usage: consumer.sh <way> <source tree> <build tree> <compiler> [launcher...]. Builds and runs the
# consumer program against the library, taken in one of these ways:
#   installed      installed from the build tree: exact list of files, find_package, pkg-config
#   subdirectory   add_subdirectory, as a shared library; then that library installed, find_package
#   single_header  the generated header in a program of two source files
set -euo pipefail
way=$1 tree=$2 build=$3 compiler=$4
launcher=("${@:5}")
here=$tree/tests/consumer
work=$build/consumer/$way
mkdir -p "$work"

configure() { # <name> <cmake arguments>: the consumer project, built and run
    local dir=$work/$1
    cmake -G Ninja -S "$here" -B "$dir" -DCMAKE_CXX_COMPILER="$compiler" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$(IFS=';'; echo "${launcher[*]}")" "${@:2}" >"$work/$1.log" ||
        { cat "$work/$1.log"; return 1; }
    cmake --build "$dir"
    "$dir/consumer"
}

install_to() { # <build tree> <prefix>
    rm -rf "$2"
    cmake --install "$1" --prefix "$2" >/dev/null
}

# Every public header, the two libraries and the package files: nothing else, nothing less.
check_manifest() { # <prefix>
    diff <(
        {
            (cd "$tree" && find include -name '*.hpp')
            printf 'lib/%s\n' libtwiliowa.a libtwiliowa_testing.a pkgconfig/twiliowa.pc
            printf 'lib/cmake/twiliowa/twiliowa-%s.cmake\n' config config-version targets "targets-$2"
        } | sort
    ) <(cd "$1" && find * -not -type d | sed -E 's|^lib/[^/]*-linux-gnu/|lib/|' | sort)
}

compile() { "${launcher[@]}" "$compiler" -std=c++20 -Wall -Wextra -Werror "$@"; }

case $way in
installed)
    install_to "$build" "$work/prefix"
    check_manifest "$work/prefix" debug
    configure find_package -DCMAKE_PREFIX_PATH="$work/prefix"
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name twiliowa.pc)")
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046 # pkg-config prints a list of flags
    "$compiler" -std=c++20 "$here/main.cpp" -o "$work/pkg_config" \
        $(pkg-config --define-variable=prefix="$work/prefix" --cflags --libs twiliowa)
    "$work/pkg_config"
    ;;
subdirectory)
    configure tree -DTWILIOWA_TREE="$tree" -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Debug
    install_to "$work/tree" "$work/prefix"
    configure find_package -DCMAKE_PREFIX_PATH="$work/prefix"
    ;;
single_header)
    cmake -D OUTPUT="$work/twiliowa_single.hpp" -P "$tree/cmake/single_header.cmake"
    cmake -D OUTPUT="$work/again.hpp" -P "$tree/cmake/single_header.cmake"
    cmp "$work/twiliowa_single.hpp" "$work/again.hpp"
    cd "$work"
    for unit in main single_header_implementation; do
        compile -I. -DCONSUMER_HEADER='"twiliowa_single.hpp"' -c "$here/$unit.cpp" -o $unit.o
    done
    "$compiler" main.o single_header_implementation.o -o single_header \
        $(pkg-config --libs fmt libcurl libcrypto) -pthread
    ./single_header
    ;;
esac
