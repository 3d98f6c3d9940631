# hiredis, however it was built: its own package file comes with some builds of it alone, and Debian 12's
# has no targets. hiredis::hiredis, and hiredis::hiredis_ssl where it has TLS.
find_path(hiredis_INCLUDE_DIR hiredis/hiredis.h)
find_library(hiredis_LIBRARY NAMES hiredis hiredisd)
find_path(hiredis_ssl_INCLUDE_DIR hiredis/hiredis_ssl.h HINTS ${hiredis_INCLUDE_DIR})
find_library(hiredis_ssl_LIBRARY NAMES hiredis_ssl hiredis_ssld)
mark_as_advanced(hiredis_INCLUDE_DIR hiredis_LIBRARY hiredis_ssl_INCLUDE_DIR hiredis_ssl_LIBRARY)

unset(hiredis_VERSION)
if(hiredis_INCLUDE_DIR)
  file(STRINGS ${hiredis_INCLUDE_DIR}/hiredis/hiredis.h hiredis_lines
       REGEX "^#define HIREDIS_(MAJOR|MINOR|PATCH) +[0-9]+")
  list(TRANSFORM hiredis_lines REPLACE "[^0-9]" "")
  list(JOIN hiredis_lines . hiredis_VERSION)
  unset(hiredis_lines)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  hiredis REQUIRED_VARS hiredis_LIBRARY hiredis_INCLUDE_DIR VERSION_VAR hiredis_VERSION)

if(hiredis_FOUND)
  if(NOT TARGET hiredis::hiredis)
    add_library(hiredis::hiredis UNKNOWN IMPORTED)
    set_target_properties(
      hiredis::hiredis PROPERTIES IMPORTED_LOCATION ${hiredis_LIBRARY}
                                  INTERFACE_INCLUDE_DIRECTORIES ${hiredis_INCLUDE_DIR})
  endif()
  if(hiredis_ssl_LIBRARY AND hiredis_ssl_INCLUDE_DIR AND NOT TARGET hiredis::hiredis_ssl)
    add_library(hiredis::hiredis_ssl UNKNOWN IMPORTED)
    set_target_properties(
      hiredis::hiredis_ssl PROPERTIES IMPORTED_LOCATION ${hiredis_ssl_LIBRARY}
                                      INTERFACE_INCLUDE_DIRECTORIES ${hiredis_ssl_INCLUDE_DIR}
                                      INTERFACE_LINK_LIBRARIES hiredis::hiredis)
  endif()
endif()
