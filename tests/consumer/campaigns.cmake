cmake_minimum_required(VERSION 3.23...3.25)
project(my_service LANGUAGES CXX)
add_executable(my_service campaigns.cpp)

# [use]
find_package(twiliowa 0.2 CONFIG REQUIRED COMPONENTS campaigns)
target_link_libraries(my_service PRIVATE twiliowa::campaigns)
# [use]
