include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/twiliowa)
install(TARGETS twiliowa twiliowa_testing EXPORT twiliowa-targets FILE_SET HEADERS)
install(TARGETS twiliowa_adapters FILE_SET HEADERS)
install(EXPORT twiliowa-targets NAMESPACE twiliowa:: DESTINATION ${package_dir})

# The shared library keeps its dependencies to itself; the static one passes them on.
if(BUILD_SHARED_LIBS)
  set(pc_requires_key Requires.private)
  set(pc_cflags -DTWILIOWA_SHARED)
else()
  set(pc_requires_key Requires)
  set(pc_cflags)
endif()
set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")

configure_package_config_file(cmake/twiliowa-config.cmake.in twiliowa-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(twiliowa-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/twiliowa.pc.in twiliowa.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/twiliowa-config-version.cmake
        DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/twiliowa.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
