cmake_minimum_required(VERSION 3.23)
project(my_service LANGUAGES CXX)

find_package(twiliowa 0.2 CONFIG REQUIRED)

add_executable(my_service main.cpp)
target_link_libraries(my_service PRIVATE twiliowa::twiliowa)

enable_testing()
add_executable(my_tests my_tests.cpp)
target_link_libraries(my_tests PRIVATE twiliowa::testing)  # the fake Twilio
add_test(NAME my_tests COMMAND my_tests)
