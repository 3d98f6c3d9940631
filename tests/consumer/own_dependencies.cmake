cmake_minimum_required(VERSION 3.24...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service main.cpp second.cpp)

# The program brings what the library needs too.
include(FetchContent)
foreach(package IN ITEMS fmt nlohmann_json)
  file(WRITE ${CMAKE_BINARY_DIR}/${package}/CMakeLists.txt
       "add_library(${package} INTERFACE)\nadd_library(${package}::${package} ALIAS ${package})\n")
  FetchContent_Declare(${package} SOURCE_DIR ${CMAKE_BINARY_DIR}/${package} OVERRIDE_FIND_PACKAGE)
endforeach()
add_subdirectory(third_party/twiliowa)
target_link_libraries(my_service PRIVATE twiliowa::fmt)
