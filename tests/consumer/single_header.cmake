cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
# The test compiles twiliowa.cpp beforehand, once for all of its programs.
add_executable(my_service main.cpp second.cpp ${BODIES})
target_compile_definitions(my_service PRIVATE CONSUMER_HEADER="twiliowa_single.hpp")

# [use]
find_package(twiliowa 0.2 CONFIG REQUIRED)
target_link_libraries(my_service PRIVATE twiliowa::single_header)
# [use]
