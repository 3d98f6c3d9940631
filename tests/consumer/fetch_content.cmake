cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service main.cpp second.cpp)
# The test builds the library in few units, to be quick; the program stays as it is.
set_property(TARGET my_service PROPERTY UNITY_BUILD OFF)

# [use]
include(FetchContent)
FetchContent_Declare(twiliowa URL ${RELEASE_ARCHIVE} URL_HASH SHA256=${RELEASE_SHA256})
FetchContent_MakeAvailable(twiliowa)
target_link_libraries(my_service PRIVATE twiliowa::twiliowa)
# [use]
