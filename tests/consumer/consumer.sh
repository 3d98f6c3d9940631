#!/usr/bin/env bash
# Usage: consumer.sh <way> <source tree> <build tree> <compiler> [launcher...]. Builds and runs the
# consumer program, of two source files, against the library, taken in one of these ways:
#   installed      installed from the build tree, and moved: exact list of files, by component;
#                  no path of this machine; find_package, pkg-config
#   fetch_content  FetchContent, of a release's archive: the program compiles; the library is not built
#   release        a release's archive, built and used as docs/getting-started.md says, as a shared library
#                  and where there is no fmt; with at least the options of vcpkg's port
#   single_header  the generated header, always the same, through the target of an installed library
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

configure_only() { # <name> <project> <cmake arguments>: the consumer project
    local dir=$work/$1
    mkdir -p "$dir"
    cp "$here"/*.cpp "$dir"
    cp "$tree/test_package/main.cpp" "$dir/my_tests.cpp"
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

test_package() { # <prefix>: what Conan tests its package with
    cmake -G Ninja -S "$tree/test_package" -B "$work/test_package" \
        -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_COMPILER_LAUNCHER="$(IFS=';'; echo "${launcher[*]}")" \
        -DCMAKE_PREFIX_PATH="$1"
    cmake --build "$work/test_package"
    "$work/test_package/test_package"
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

run_with_pkg_config() { # <prefix> <further flags>
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name twiliowa.pc)")
    export PKG_CONFIG_PATH
    "$compiler" -std=c++20 "$here/main.cpp" "$here/second.cpp" -o "$work/pkg_config" \
        $(pkg-config --cflags --libs twiliowa) "${@:2}"
    "$work/pkg_config"
    "$compiler" -std=c++20 "$tree/test_package/main.cpp" -o "$work/pkg_config_testing" \
        $(pkg-config --cflags --libs twiliowa-testing) "${@:2}"
    "$work/pkg_config_testing"
}

case $way in
installed)
    tools=()
    [ ! -x "$build/tools/twiliowa-emulator" ] || tools=(bin/twiliowa-emulator)
    [ ! -x "$build/tools/twiliowa" ] || tools+=(bin/twiliowa)
    install_to "$build" "$work/built"
    check_manifest "$work/built" debug lib/libtwiliowa.a lib/libtwiliowa_outbox.a lib/libtwiliowa_testing.a $(engines_in "$work/built") \
        "${tools[@]}"
    check_component single_header '^include/twiliowa_single.hpp$' 1
    check_component development '^(include/twiliowa/|lib/)' 40
    [ ${#tools[@]} -eq 0 ] || check_component tools '^bin/twiliowa(-emulator)?$' ${#tools[@]}
    rm -rf "$work/prefix"
    mv "$work/built" "$work/prefix"
    configure find_package find_package -DCMAKE_PREFIX_PATH="$work/prefix"
    configure fmt fmt -DCMAKE_PREFIX_PATH="$work/prefix"
    configure httplib httplib -DCMAKE_PREFIX_PATH="$work/prefix"
    [ -z "$(engines_in "$work/prefix" campaigns)" ] || configure campaigns campaigns -DCMAKE_PREFIX_PATH="$work/prefix"
    [ -z "$(engines_in "$work/prefix" sqlite)" ] || (cd "$work" && configure sqlite sqlite -DCMAKE_PREFIX_PATH="$work/prefix")
    [ -z "$(engines_in "$work/prefix" postgresql)" ] ||
        configure postgresql postgresql -DCMAKE_PREFIX_PATH="$work/prefix"
    [ -z "$(engines_in "$work/prefix" redis)" ] || configure redis redis -DCMAKE_PREFIX_PATH="$work/prefix"
    test_package "$work/prefix"
    run_with_pkg_config "$work/prefix"
    ;;
fetch_content)
    make_release "$work/release.tar.gz"
    configure_only fetched fetch_content -DRELEASE_ARCHIVE="file://$work/release.tar.gz" \
        -DRELEASE_SHA256="$(sha256sum <"$work/release.tar.gz" | cut -d' ' -f1)" -DCMAKE_UNITY_BUILD=ON
    cmake --build "$work/fetched/build" --target CMakeFiles/my_service.dir/{main,second}.cpp.o
    none_in "$work/fetched/build/build.ninja" "$not_for_consumers"
    ;;
release)
    # By the other compiler where it is: it takes half the time.
    ! command -v clang++ >/dev/null || compiler=clang++
    make_release "$work/release.tar.gz"
    without_fmt=(-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON)
    rm -rf "$work/twiliowa" "$work/prefix" "$work/runtime"
    tar -C "$work" -xzf "$work/release.tar.gz"
    mkdir -p "$work/program" "$work/one_header"
    cp "$here"/{main,second}.cpp "$work/program"
    cp "$here"/{main,second}.cpp "$work/one_header"
    cp "$here/twiliowa.cpp" "$work/one_header"
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
    configure find_package find_package -DCMAKE_PREFIX_PATH="$work/prefix" "${without_fmt[@]}"
    if (configure_only no_fmt fmt -DCMAKE_PREFIX_PATH="$work/prefix" "${without_fmt[@]}") >no_fmt.txt; then
        echo "find_package gave the component fmt without fmt."
        exit 1
    fi
    grep -q 'component fmt needs fmt' no_fmt.txt || { cat no_fmt.txt; exit 1; }
    none_in "$work/prefix/lib/pkgconfig/twiliowa.pc" fmt
    export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
    (cd program && use_pkg_config && LD_LIBRARY_PATH=$work/runtime/lib ./a.out)
    write_single_header
    cp twiliowa_single.hpp one_header
    g++() { command "${launcher[@]}" "$compiler" -I. -DCONSUMER_HEADER='"twiliowa_single.hpp"' "$@"; }
    (cd one_header && use_single_header && ./a.out)
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
    cmake -D OUTPUT="$work/twiliowa_single.hpp" -P "$tree/cmake/single_header.cmake"
    none_in "$work/twiliowa_single.hpp" "($tree|$build)|<fmt/"
    install_to "$build" "$work/prefix"
    cmp "$work/twiliowa_single.hpp" "$work/prefix/include/twiliowa_single.hpp"
    # As strict with it as with a source of ours.
    configure single_header single_header -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror" -DCMAKE_NO_SYSTEM_FROM_IMPORTED=ON
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
