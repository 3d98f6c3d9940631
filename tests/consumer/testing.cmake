cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service my_tests.cpp)

# [use]
find_package(twiliowa 0.2 CONFIG REQUIRED COMPONENTS testing)
target_link_libraries(my_service PRIVATE twiliowa::testing)
# [use]
