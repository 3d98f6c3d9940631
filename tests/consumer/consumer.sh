#!/usr/bin/env bash
# Usage: consumer.sh <way> <source tree> <build tree> <compiler> [launcher...]. Builds and runs the
# consumer program, of two source files, against the library, taken in one of these ways:
#   installed      installed from the build tree, and moved: exact list of files, by component;
#                  no path of this machine; a program for each component, by find_package and by pkg-config
#   fetch_content  FetchContent, of a release's archive: the program compiles; the library is not built
#   release        a release's archive, built and used as docs/getting-started.md says, as a shared library
#                  and where there is no fmt; with at least the options of vcpkg's port
#   single_header  the generated header, always the same, as docs/packaging.md says, and through the target of an
#                  installed library
#   configured     configured only: by add_subdirectory; in a program that brings the dependencies itself;
#                  with absolute directories to install to
# shellcheck disable=SC2046,SC2076 # lists of flags and files; a part of a line, not a pattern
set -euo pipefail
way=$1 tree=$2 build=$3 compiler=$4
launcher=("${@:5}")
here=$tree/tests/consumer
work=$build/consumer/$way
mkdir -p "$work"

# What only those who work on the library build, and the flags that only they use.
not_for_consumers='twiliowa_[a-z]*_tests|example_[a-z]*:|twiliowa-emulator:|twiliowa_cli:|-Werror|-Wall|-fpch-preprocess'

none_in() { # <file> <pattern>
    ! grep -nE -- "$2" "$1" || { echo "That should not be in $1."; return 1; }
}

sources_to() { # <directory>: what the consumer projects are made of; each takes some
    mkdir -p "$1"
    cp "$here"/*.cpp "$tree"/test_package/{outbox,campaigns,postgresql,redis,sqlite}.cpp "$1"
    cp "$tree/test_package/main.cpp" "$1/my_tests.cpp"
}

configure_only() { # <name> <project> <cmake arguments>: the consumer project
    local dir=$work/$1
    sources_to "$dir"
    cp "$here/$2.cmake" "$dir/CMakeLists.txt"
    cmake -G Ninja -S "$dir" -B "$dir/build" -DCMAKE_CXX_COMPILER="$compiler" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$(IFS=';'; echo "${launcher[*]}")" "${@:3}" >"$work/$1.log" 2>&1 ||
        { cat "$work/$1.log"; return 1; }
    # Whatever a release's users would have to wonder about, too.
    none_in "$work/$1.log" 'CMake.*Warning|[Dd]ownloading'
}

configure() { # <name> <project> <cmake arguments>: the same, built, and its programs run
    local program
    configure_only "$@"
    cmake --build "$work/$1/build"
    for program in "$work/$1"/build/my_*; do "$program"; done
}

# The consumer projects of these names, each with a my_<name> in place of its my_service, and what Conan tests its
# package with, as parts of one, which is quicker; their programs run.
consume() { # <name...>
    local name all=$work/consumers
    {
        printf 'cmake_minimum_required(VERSION 3.23...3.25)\nproject(consumers LANGUAGES CXX)\n'
        printf 'add_subdirectory(%s)\n' "$@"
        printf 'add_subdirectory("%s" test_package EXCLUDE_FROM_ALL)\n' "$tree/test_package"
    } >"$work/consumers.cmake"
    for name in "$@"; do
        sources_to "$all/$name"
        sed "s/my_service/my_$name/" "$here/$name.cmake" >"$all/$name/CMakeLists.txt"
    done
    cmp -s "$work/consumers.cmake" "$all/CMakeLists.txt" || cp "$work/consumers.cmake" "$all/CMakeLists.txt"
    cmake -G Ninja -S "$all" -B "$all/build" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$(IFS=';'; echo "${launcher[*]}")" >"$work/consumers.log" 2>&1 ||
        { cat "$work/consumers.log"; return 1; }
    none_in "$work/consumers.log" 'CMake.*Warning|[Dd]ownloading'
    # Of the programs of the package's test those for a component are built by its own project.
    cmake --build "$all/build" --target all test_package
    for name in "$@"; do (cd "$work" && "$all/build/$name/my_$name"); done
    "$all/build/test_package/test_package"
}

make_release() { # <archive>: what a release holds: the files that git knows, or would
    local files=(git -C "$tree" ls-files -co --exclude-standard)
    "${files[@]}" >/dev/null 2>&1 || files=(sh -c "cd '$tree' && find . -path ./build -prune -o -type f -print")
    "${files[@]}" | tar -C "$tree" --ignore-failed-read -czf "$1" --transform 's,^,twiliowa/,' -T - 2>/dev/null
}

install_to() { # <build tree> <prefix> [component]
    rm -rf "$2"
    cmake --install "$1" --prefix "$2" ${3:+--component "$3"} >/dev/null
}

files_in() { (cd "$1" && find . -not -type d | sed -E 's|^\./||; s|^lib/[^/]*-linux-gnu/|lib/|' | sort); }

# Every public header, the package files, the single header, and what else is named: nothing else,
# nothing less. No path of this machine in them; in binaries neither, unless they hold debug information.
check_manifest() { # <prefix> <configuration> <further files>
    diff <(
        {
            (cd "$tree" && find include -name '*.hpp' ! -path '*/campaign/*' ! -path '*/sqlite/*' ! -path '*/postgresql/*' ! -path '*/redis/*')
            # What is of an engine comes where it was built.
            local engine
            for engine in campaigns sqlite postgresql redis; do
                [[ " ${*:3} " = *libtwiliowa_$engine.a* ]] || continue
                (cd "$tree" && find "include/twiliowa/${engine/campaigns/campaign}" -name '*.hpp')
                printf '%s\n' "lib/pkgconfig/twiliowa-$engine.pc"
                printf "lib/cmake/twiliowa/twiliowa-$engine-%s.cmake\n" targets "targets-$2"
                [ "$engine" != redis ] || echo lib/cmake/twiliowa/Findhiredis.cmake
            done
            printf '%s\n' include/twiliowa_single.hpp lib/pkgconfig/twiliowa{,-outbox,-testing}.pc
            printf 'lib/cmake/twiliowa/twiliowa-%s.cmake\n' config config-version targets "targets-$2"
            printf '%s\n' "${@:3}"
        } | sort
    ) <(files_in "$1")
    local binaries=(-I)
    [ "$2" = debug ] || binaries=()
    if grep -rlE "${binaries[@]}" "($tree|$build|$1)" "$1"; then
        echo "These installed files name a path of this machine."
        return 1
    fi
}

# <prefix>: the engines that were built, or the one of that name
engines_in() { files_in "$1" | grep -xE "lib/libtwiliowa_(${2:-campaigns|sqlite|postgresql|redis}).a" || true; }

check_component() { # <component> <pattern that every file of it matches> <number of files, at least>
    install_to "$build" "$work/component" "$1"
    if files_in "$work/component" | grep -vE "$2" || [ "$(files_in "$work/component" | wc -l)" -lt "$3" ]; then
        echo "Component $1 has other files, or too few."
        return 1
    fi
}

# Hidden visibility: nothing but the library's own names, and templates of the standard library's.
check_symbols() { # <shared library>
    if nm -D --defined-only "$1" | awk '{ print $NF }' | grep -vE '8twiliowa|^_ZN?[A-Z]*K?St|^_ZT[A-Z]?N?K?St|^_ZN?K?9__gnu_cxx'; then
        echo "These symbols are no business of who links $1."
        return 1
    fi
    [[ $(readelf -d "$1") =~ "soname: [libtwiliowa.so.$(sed -nE 's/.*VERSION_STRING "([0-9]+\.[0-9]+)\..*/\1/p' \
        "$tree/include/twiliowa/version.hpp")]" ]] || { echo "$1 has another SONAME"; return 1; }
}

# The components are static; of the shared library they have what it shows.
check_components() { # <build tree of the library>
    local component missing
    for component in "$1"/libtwiliowa_*.a; do
        missing=$(comm -23 <(nm -u "$component" | awk '/8twiliowa/ { print $NF }' | sort -u) \
            <({ nm -D --defined-only "$1/libtwiliowa.so"; nm --defined-only "$component" "$1/libtwiliowa_outbox.a"; } |
                awk 'NF { print $NF }' | sort -u) | c++filt)
        [ -z "$missing" ] || { printf '%s needs what the shared library does not show:\n%s\n' "$component" "$missing"; return 1; }
    done
}

# Links, by what pkg-config says, what `consume` has compiled, and runs it. One source is compiled by that, too.
link_with_pkg_config() { # <component...>
    local component package
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name twiliowa.pc)")
    export PKG_CONFIG_PATH
    "$compiler" -std=c++20 -c "$here/second.cpp" -o "$work/second.o" $(pkg-config --cflags twiliowa)
    "$compiler" "$work/second.o" "$(object_of find_package main)" -o "$work/pkg_config" $(pkg-config --libs twiliowa)
    "$work/pkg_config"
    for component in "$@"; do
        package=twiliowa-$component
        [[ " $(pkg-config --cflags $package) " = *" -I$(pkg-config --variable=includedir twiliowa) "* ]] ||
            { echo "$package does not say where the headers are: $(pkg-config --cflags $package)"; return 1; }
        "$compiler" $(object_of $component) -o "$work/pkg_config_$component" $(pkg-config --libs $package)
        (cd "$work" && "./pkg_config_$component")
    done
}

object_of() { # <consumer project> [source]
    find "$work/consumers/build/$1" -name "${2:-*}.cpp.o"
}

case $way in
installed | single_header | release)
    # By the other compiler where it is: it takes half the time, and links what this one built.
    ! command -v clang++ >/dev/null || compiler=clang++
    ;;
esac

case $way in
installed)
    tools=()
    [ ! -x "$build/tools/twiliowa-emulator" ] || tools=(bin/twiliowa-emulator)
    [ ! -x "$build/tools/twiliowa" ] || tools+=(bin/twiliowa share/man/man1/twiliowa.1
        share/bash-completion/completions/twiliowa share/zsh/site-functions/_twiliowa
        share/fish/vendor_completions.d/twiliowa.fish)
    install_to "$build" "$work/built"
    check_manifest "$work/built" debug lib/libtwiliowa.a lib/libtwiliowa_outbox.a lib/libtwiliowa_testing.a $(engines_in "$work/built") \
        "${tools[@]}"
    check_component single_header '^include/twiliowa_single.hpp$' 1
    check_component development '^(include/twiliowa/|lib/)' 40
    [ ${#tools[@]} -eq 0 ] || check_component tools '^(bin|share)/' ${#tools[@]}
    rm -rf "$work/prefix"
    mv "$work/built" "$work/prefix"
    engines=$(engines_in "$work/prefix" | sed -nE 's/^lib\/libtwiliowa_([a-z]+)\.a$/\1/p')
    consume find_package adapters fmt httplib testing outbox $engines
    link_with_pkg_config testing outbox $engines
    ;;
fetch_content)
    make_release "$work/release.tar.gz"
    configure_only fetched fetch_content -DRELEASE_ARCHIVE="file://$work/release.tar.gz" \
        -DRELEASE_SHA256="$(sha256sum <"$work/release.tar.gz" | cut -d' ' -f1)" -DCMAKE_UNITY_BUILD=ON
    cmake --build "$work/fetched/build" --target CMakeFiles/my_service.dir/{main,second}.cpp.o
    none_in "$work/fetched/build/build.ninja" "$not_for_consumers"
    ;;
release)
    make_release "$work/release.tar.gz"
    without_fmt=(-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON)
    rm -rf "$work/twiliowa" "$work/prefix" "$work/runtime"
    tar -C "$work" -xzf "$work/release.tar.gz"
    mkdir -p "$work/program"
    cp "$here"/{main,second}.cpp "$work/program"
    cd "$work"
    # What is typed is what the page says; this is where it leads to, and that it is soon over.
    sudo() { "$@" --prefix "$work/prefix"; }
    cmake() {
        local quick=()
        [ "$1" != -S ] || quick=(-DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE= -DBUILD_SHARED_LIBS=ON
            -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=32 -DCMAKE_INSTALL_LIBDIR=lib "${without_fmt[@]}"
            -DCMAKE_CXX_COMPILER_LAUNCHER="$(IFS=';'; echo "${launcher[*]}")")
        command cmake "$@" "${quick[@]}" >cmake.log || { cat cmake.log; return 1; }
    }
    g++() { command "$compiler" "$@"; }
    # shellcheck source=tests/consumer/getting_started.sh
    . "$here/getting_started.sh"
    port=$tree/packaging/vcpkg/ports/twiliowa/portfile.cmake
    for option in $(grep -oE -- '-DTWILIOWA_[A-Z_]+=[A-Z]+' "$port"); do
        declare -f install_it | grep -qF -- "$option" || { echo "the port says $option"; exit 1; }
    done
    install_it
    check_components build
    check_symbols build/libtwiliowa.so
    check_manifest "$work/prefix" noconfig lib/libtwiliowa_outbox.a lib/libtwiliowa_testing.a $(engines_in "$work/prefix") \
        $(cd "$work/prefix" && ls lib/libtwiliowa.so lib/libtwiliowa.so.[0-9].[0-9]*)
    # The program finds the library by its SONAME, and needs no other file of it to run.
    command cmake --install build --prefix "$work/runtime" --component runtime >/dev/null
    [ "$(files_in "$work/runtime" | grep -cE '^lib/libtwiliowa\.so\.[0-9.]+$')" -eq 2 ]
    [ "$(files_in "$work/runtime" | wc -l)" -eq 2 ]
    [ -r "prefix/$(sed -nE 's/.*CONFIG_PATH ([^)]*)\)/\1/p' "$port")/twiliowa-config.cmake" ]
    if (configure_only no_fmt fmt -DCMAKE_PREFIX_PATH="$work/prefix" "${without_fmt[@]}") >no_fmt.txt; then
        echo "find_package gave the component fmt without fmt."
        exit 1
    fi
    grep -q 'component fmt needs fmt' no_fmt.txt || { cat no_fmt.txt; exit 1; }
    none_in "$work/prefix/lib/pkgconfig/twiliowa.pc" fmt
    export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
    (cd program && use_pkg_config && LD_LIBRARY_PATH=$work/runtime/lib ./a.out)
    write_single_header
    cmp twiliowa_single.hpp "$work/prefix/include/twiliowa_single.hpp"
    # A first program: it runs, and there is no account.
    mkdir -p my_service
    cp "$here/getting_started.cmake" my_service/CMakeLists.txt
    cp "$tree/examples/send_template.cpp" my_service/main.cpp
    cp "$tree/test_package/main.cpp" my_service/my_tests.cpp
    export CMAKE_PREFIX_PATH=$work/prefix
    unset "${!TWILIO@}"
    ! build_program >my_service.log 2>&1 || { echo "a message was sent without an account"; exit 1; }
    grep -q '100% tests passed' my_service.log && tail -n 1 my_service.log | grep -q TWILIO_ACCOUNT_SID ||
        { cat my_service.log; exit 1; }
    ;;
single_header)
    mkdir -p "$work/program"
    cp "$here"/{main,second,twiliowa}.cpp "$work/program"
    cd "$work/program"
    ln -sfn "$tree" twiliowa
    # shellcheck source=tests/consumer/getting_started.sh
    . "$here/getting_started.sh"
    write_single_header
    none_in twiliowa_single.hpp "($tree|$build)|<fmt/"
    install_to "$build" "$work/prefix"
    cmp twiliowa_single.hpp "$work/prefix/include/twiliowa_single.hpp"
    # The source with the bodies, which takes long, is compiled once, as strictly as a source of ours.
    strict=(-Wall -Wextra -Werror)
    g++() {
        command "${launcher[@]}" "$compiler" -std=c++20 -I. "${strict[@]}" -MD -c twiliowa.cpp -o twiliowa.o
        command "$compiler" -I. -DCONSUMER_HEADER='"twiliowa_single.hpp"' "${@/%twiliowa.cpp/twiliowa.o}"
    }
    use_single_header
    ./a.out
    configure single_header single_header -DCMAKE_PREFIX_PATH="$work/prefix" -DBODIES="$work/program/twiliowa.o" \
        -DCMAKE_CXX_FLAGS="${strict[*]}" -DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON
    ;;
configured)
    mkdir -p "$work/tree/third_party"
    ln -sfn "$tree" "$work/tree/third_party/twiliowa"
    configure_only tree subdirectory -DBUILD_SHARED_LIBS=ON -DTWILIOWA_INSTALL=ON
    # Only who works on the library builds its tests, and wants warnings to be errors.
    none_in "$work/tree/build/build.ninja" "$not_for_consumers"
    mkdir -p "$work/own_dependencies/third_party"
    ln -sfn "$tree" "$work/own_dependencies/third_party/twiliowa"
    configure_only own_dependencies own_dependencies
    # What the parent does not ask for is not installed with it.
    install_to "$work/own_dependencies/build" "$work/prefix"
    [ -z "$(files_in "$work/prefix" 2>/dev/null)" ]
    rm -rf "$work/absolute"
    cmake -G Ninja -S "$tree" -B "$work/absolute" -DCMAKE_CXX_COMPILER="$compiler" -DBUILD_SHARED_LIBS=ON \
        -DTWILIOWA_BUILD_TESTS=OFF -DTWILIOWA_BUILD_EXAMPLES=OFF -DTWILIOWA_BUILD_TOOLS=OFF \
        -DCMAKE_INSTALL_PREFIX=/opt/tw -DCMAKE_INSTALL_LIBDIR=/opt/tw/lib64 \
        -DCMAKE_INSTALL_INCLUDEDIR=include >"$work/absolute.log" 2>&1 || { cat "$work/absolute.log"; exit 1; }
    # At the top of its own tree too: so a package is built. The host's cache is not taken for it.
    none_in "$work/absolute/build.ninja" "$not_for_consumers|ccache"
    for variable in prefix=/opt/tw libdir=/opt/tw/lib64 includedir=/opt/tw/include; do
        [ "$(pkg-config --variable=${variable%=*} "$work/absolute/twiliowa.pc")" = ${variable#*=} ] ||
            { echo "twiliowa.pc does not say $variable:"; cat "$work/absolute/twiliowa.pc"; exit 1; }
    done
    ;;
esac
