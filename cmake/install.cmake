# What is installed, in components: runtime (the shared library), development (headers, archives,
# package files), tools (the emulator, the command line), single_header. Everything is found relative to where it is,
# so that the prefix can be moved.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/twiliowa)

install(FILES ${single_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT single_header)

install(
  TARGETS twiliowa twiliowa_outbox twiliowa_testing twiliowa_single_header
  EXPORT twiliowa-targets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development
  FILE_SET HEADERS COMPONENT development)
install(TARGETS twiliowa_adapters FILE_SET HEADERS COMPONENT development)
# Each apart from the rest: who has no SQLite, libpq, hiredis or date finds the rest.
foreach(engine IN ITEMS campaigns sqlite postgresql redis)
  if(TARGET twiliowa_${engine})
    install(
      TARGETS twiliowa_${engine}
      EXPORT twiliowa-${engine}-targets
      ARCHIVE COMPONENT development
      FILE_SET HEADERS COMPONENT development)
    install(EXPORT twiliowa-${engine}-targets NAMESPACE twiliowa:: DESTINATION ${package_dir}
            COMPONENT development)
  endif()
endforeach()
if(TARGET twiliowa_redis)
  install(FILES cmake/Findhiredis.cmake DESTINATION ${package_dir} COMPONENT development)
  set(pc_redis_requires "hiredis >= 0.14.1, libcrypto")
  if(TARGET hiredis::hiredis_ssl)
    string(APPEND pc_redis_requires ", hiredis_ssl, libssl")
  endif()
endif()
# date has no package file of its own.
set(pc_campaigns_libs "-ltwiliowa_campaigns")
if(NOT TWILIOWA_STANDARD_TIME_ZONES)
  string(APPEND pc_campaigns_libs " -ldate-tz")
endif()
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
# The prefix is found from where the file is, unless that is outside of it.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()
cmake_path(APPEND pc_libdir "\${prefix}" "${CMAKE_INSTALL_LIBDIR}")
cmake_path(APPEND pc_includedir "\${prefix}" "${CMAKE_INSTALL_INCLUDEDIR}")

configure_package_config_file(cmake/twiliowa-config.cmake.in twiliowa-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(twiliowa-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/twiliowa.pc.in twiliowa.pc @ONLY)
configure_file(cmake/twiliowa-outbox.pc.in twiliowa-outbox.pc @ONLY)
configure_file(cmake/twiliowa-testing.pc.in twiliowa-testing.pc @ONLY)
set(pc_files ${CMAKE_CURRENT_BINARY_DIR}/twiliowa.pc ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-outbox.pc
             ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-testing.pc)
foreach(engine IN ITEMS campaigns sqlite postgresql redis)
  if(TARGET twiliowa_${engine})
    configure_file(cmake/twiliowa-${engine}.pc.in twiliowa-${engine}.pc @ONLY)
    list(APPEND pc_files ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-${engine}.pc)
  endif()
endforeach()
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config-version.cmake
        DESTINATION ${package_dir} COMPONENT development)
install(FILES ${pc_files} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)
