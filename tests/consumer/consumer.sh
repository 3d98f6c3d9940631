#!/usr/bin/env bash
# Usage: consumer.sh <way> <source tree> <build tree> <compiler> [launcher...]. Builds and runs the
# consumer program, of two source files, against the library, taken in one of these ways:
#   installed      installed from the build tree, and moved: exact list of files, by component;
#                  no path of this machine; find_package, pkg-config, the single header's target
#   subdirectory   add_subdirectory, as a shared library; then that library installed, find_package
#   fetch_content  FetchContent, from a copy of the tree
#   single_header  the generated header, without CMake
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

install_to() { # <build tree> <prefix> [component]
    rm -rf "$2"
    cmake --install "$1" --prefix "$2" ${3:+--component "$3"} >/dev/null
}

files_in() { (cd "$1" && find . -not -type d | sed -E 's|^\./||; s|^lib/[^/]*-linux-gnu/|lib/|' | sort); }

# Every public header, the two libraries, the package files, the single header, and whatever else is
# named: nothing else, nothing less.
check_manifest() { # <prefix> <configuration> [further files]
    diff <(
        {
            (cd "$tree" && find include -name '*.hpp')
            echo include/twiliowa_single.hpp
            printf 'lib/%s\n' libtwiliowa.a libtwiliowa_testing.a pkgconfig/twiliowa.pc
            printf 'lib/cmake/twiliowa/twiliowa-%s.cmake\n' config config-version targets "targets-$2"
            [ $# -lt 3 ] || printf '%s\n' "${@:3}"
        } | sort
    ) <(files_in "$1")
    if grep -rIlE "($tree|$build|$1)" "$1"; then
        echo "These installed files name a path of this machine."
        return 1
    fi
}

check_component() { # <component> <pattern that every file of it matches> <number of files, at least>
    install_to "$build" "$work/component" "$1"
    if files_in "$work/component" | grep -vE "$2" || [ "$(files_in "$work/component" | wc -l)" -lt "$3" ]; then
        echo "Component $1 has other files, or too few."
        return 1
    fi
}

compile() { "${launcher[@]}" "$compiler" -std=c++20 -Wall -Wextra -Werror "$@"; }

case $way in
installed)
    tools=()
    [ ! -x "$build/tools/twiliowa-emulator" ] || tools=(bin/twiliowa-emulator)
    install_to "$build" "$work/built"
    check_manifest "$work/built" debug "${tools[@]}"
    check_component single_header '^include/twiliowa_single.hpp$' 1
    check_component development '^(include/twiliowa/|lib/)' 40
    [ ${#tools[@]} -eq 0 ] || check_component tools '^bin/twiliowa-emulator$' 1
    rm -rf "$work/prefix"
    mv "$work/built" "$work/prefix"
    configure find_package -DCMAKE_PREFIX_PATH="$work/prefix"
    configure single_header_target -DCMAKE_PREFIX_PATH="$work/prefix" -DCONSUMER_SINGLE_HEADER=ON
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name twiliowa.pc)")
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046 # pkg-config prints a list of flags
    "$compiler" -std=c++20 "$here/main.cpp" "$here/second.cpp" -o "$work/pkg_config" \
        $(pkg-config --cflags --libs twiliowa)
    "$work/pkg_config"
    ;;
subdirectory)
    configure tree -DTWILIOWA_TREE="$tree" -DBUILD_SHARED_LIBS=ON
    install_to "$work/tree" "$work/prefix"
    configure find_package -DCMAKE_PREFIX_PATH="$work/prefix"
    # The program finds the library by its SONAME, and needs no other file of it to run.
    install_to "$work/tree" "$work/runtime" runtime
    [ "$(files_in "$work/runtime" | grep -cE '^lib/libtwiliowa\.so\.[0-9.]+$')" -eq 2 ]
    [ "$(files_in "$work/runtime" | wc -l)" -eq 2 ]
    ;;
fetch_content)
    # As a shared library again, so that the compiler's cache knows it.
    configure fetched -DTWILIOWA_FETCH="$tree" -DBUILD_SHARED_LIBS=ON
    ;;
single_header)
    cmake -D OUTPUT="$work/twiliowa_single.hpp" -P "$tree/cmake/single_header.cmake"
    cmake -D OUTPUT="$work/again.hpp" -P "$tree/cmake/single_header.cmake"
    cmp "$work/twiliowa_single.hpp" "$work/again.hpp"
    cd "$work"
    for unit in main second single_header_implementation; do
        compile -I. -DCONSUMER_HEADER='"twiliowa_single.hpp"' -c "$here/$unit.cpp" -o $unit.o
    done
    "$compiler" main.o second.o single_header_implementation.o -o single_header \
        $(pkg-config --libs fmt libcurl libcrypto) -pthread
    ./single_header
    ;;
esac
