cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service httplib.cpp)

# [use]
find_package(twiliowa 0.2 CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
target_link_libraries(my_service PRIVATE twiliowa::twiliowa PkgConfig::httplib
                                         OpenSSL::SSL Threads::Threads)
# [use]
