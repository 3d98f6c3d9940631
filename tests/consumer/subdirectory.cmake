cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service main.cpp second.cpp)
add_executable(my_tests my_tests.cpp second.cpp)
# The test builds the library in few units, to be quick; the program stays as it is.
set_property(TARGET my_service my_tests PROPERTY UNITY_BUILD OFF)

# [use]
add_subdirectory(third_party/twiliowa)
target_link_libraries(my_service PRIVATE twiliowa::twiliowa)
# [testing]
target_link_libraries(my_tests PRIVATE twiliowa::testing)  # the fake Twilio
# [testing]
# [use]
