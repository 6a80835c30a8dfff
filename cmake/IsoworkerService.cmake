# SPDX-License-Identifier: Apache-2.0
# Units for systemd, with the user and the folders that they need. Below another prefix than /usr
# they go where systemd looks below /usr/local, and never out of the prefix.
set(service_from "${PROJECT_SOURCE_DIR}/src/cli/service")
set(units_dir "lib/systemd/system")
set(sysusers_dir "lib/sysusers.d")
set(tmpfiles_dir "lib/tmpfiles.d")
find_package(PkgConfig QUIET)
pkg_check_modules(ISW_SYSTEMD QUIET systemd)
if(ISW_SYSTEMD_FOUND AND CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  pkg_get_variable(units_dir systemd systemdsystemunitdir)
  pkg_get_variable(sysusers_dir systemd sysusersdir)
  pkg_get_variable(tmpfiles_dir systemd tmpfilesdir)
endif()
set(ISOWORKER_UNITS_DIR "${units_dir}" CACHE STRING "Folder of systemd's units")
set(ISOWORKER_SYSUSERS_DIR "${sysusers_dir}" CACHE STRING "Folder of sysusers.d(5)")
set(ISOWORKER_TMPFILES_DIR "${tmpfiles_dir}" CACHE STRING "Folder of tmpfiles.d(5)")

# `systemctl reload` waits for the end of a reload from systemd 253 on; where that is not known, it
# is told of it alone.
set(service_type "Type=notify\nExecReload=/bin/kill -HUP $MAINPID")
if(ISW_SYSTEMD_FOUND AND ISW_SYSTEMD_VERSION VERSION_GREATER_EQUAL 253)
  set(service_type "Type=notify-reload")
endif()

# A unit names its program by its whole path, which is known once it is installed.
set(service_made "${PROJECT_BINARY_DIR}/service")
if(IS_ABSOLUTE "${CMAKE_INSTALL_BINDIR}")
  set(service_bin "${CMAKE_INSTALL_BINDIR}")
else()
  set(service_bin "\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}")
endif()
install(CODE "
  get_filename_component(BINDIR \"${service_bin}\" ABSOLUTE)
  set(SERVICE_TYPE [==[${service_type}]==])
  configure_file([==[${service_from}/isoworker@.service.in]==]
                 [==[${service_made}/isoworker@.service]==] @ONLY)")
install(FILES "${service_made}/isoworker@.service" "${service_from}/isoworker@.socket"
        DESTINATION "${ISOWORKER_UNITS_DIR}")
install(FILES "${service_from}/isoworker.sysusers.conf" DESTINATION "${ISOWORKER_SYSUSERS_DIR}"
        RENAME isoworker.conf)
install(FILES "${service_from}/isoworker.tmpfiles.conf" DESTINATION "${ISOWORKER_TMPFILES_DIR}"
        RENAME isoworker.conf)
