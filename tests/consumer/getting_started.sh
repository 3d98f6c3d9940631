# shellcheck shell=bash disable=SC2046 # pkg-config prints a list of flags
# What docs/getting-started.md and docs/packaging.md say to type, run by consumer.sh where `twiliowa` is a release, unpacked.
install_it() {
    # [install]
    cmake -S twiliowa -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON \
        -DTWILIOWA_BUILD_TESTS=OFF -DTWILIOWA_BUILD_EXAMPLES=OFF -DTWILIOWA_BUILD_TOOLS=OFF
    cmake --build build
    sudo cmake --install build
    # [install]
}

use_pkg_config() {
    # [pkg_config]
    g++ -std=c++20 *.cpp $(pkg-config --cflags --libs twiliowa)
    # [pkg_config]
}

write_single_header() {
    # [single_header]
    cmake -D OUTPUT=twiliowa_single.hpp -P twiliowa/cmake/single_header.cmake
    # [single_header]
}

use_single_header() {
    # [use_single_header]
    g++ -std=c++20 *.cpp $(pkg-config --libs libcurl libcrypto) -pthread
    # [use_single_header]
}

build_program() {
    # [build]
    cmake -S my_service -B my_service/build -G Ninja
    cmake --build my_service/build
    ctest --test-dir my_service/build
    my_service/build/my_service
    # [build]
}
