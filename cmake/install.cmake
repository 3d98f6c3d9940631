# What is installed, in components: runtime (the shared library), development (headers, archives,
# package files), tools (the emulator), single_header. Everything is found relative to where it is,
# so that the prefix can be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/twiliowa)

# One header for those who want nothing to build.
set(single_header ${CMAKE_CURRENT_BINARY_DIR}/single_header/twiliowa_single.hpp)
add_custom_command(
  OUTPUT ${single_header}
  COMMAND ${CMAKE_COMMAND} -D OUTPUT=${single_header}
          -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/single_header.cmake
  DEPENDS ${headers} ${sources} cmake/single_header.cmake LICENSE
  COMMENT "Writing twiliowa_single.hpp")
add_custom_target(twiliowa_single_header_file ALL DEPENDS ${single_header})
add_library(twiliowa_single_header INTERFACE)
target_compile_features(twiliowa_single_header INTERFACE cxx_std_20)
target_include_directories(
  twiliowa_single_header INTERFACE $<BUILD_INTERFACE:${CMAKE_CURRENT_BINARY_DIR}/single_header>
                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(
  twiliowa_single_header INTERFACE nlohmann_json::nlohmann_json fmt::fmt OpenSSL::Crypto
                                   CURL::libcurl Threads::Threads)
add_dependencies(twiliowa_single_header twiliowa_single_header_file)
set_target_properties(twiliowa_single_header PROPERTIES EXPORT_NAME single_header)
add_library(twiliowa::single_header ALIAS twiliowa_single_header)
install(FILES ${single_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT single_header)

install(
  TARGETS twiliowa twiliowa_testing twiliowa_single_header
  EXPORT twiliowa-targets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development
  FILE_SET HEADERS COMPONENT development)
install(TARGETS twiliowa_adapters FILE_SET HEADERS COMPONENT development)
install(EXPORT twiliowa-targets NAMESPACE twiliowa:: DESTINATION ${package_dir}
        COMPONENT development)

# The shared library keeps its dependencies to itself; the static one passes them on.
if(BUILD_SHARED_LIBS)
  set(pc_requires_key Requires.private)
  set(pc_cflags -DTWILIOWA_SHARED)
else()
  set(pc_requires_key Requires)
  set(pc_cflags)
endif()
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")

configure_package_config_file(cmake/twiliowa-config.cmake.in twiliowa-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(twiliowa-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/twiliowa.pc.in twiliowa.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config-version.cmake
        DESTINATION ${package_dir} COMPONENT development)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twiliowa.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
