# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, for people who link a worker and for those who run one. The
# tree works under any prefix, and after a move: nothing in it names the prefix but a unit of systemd
# (IsoworkerService.cmake).
include(CMakePackageConfigHelpers)

# The command holds the host and links no library of ours, so it needs no RUNPATH.
install(TARGETS isw_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
# What it starts itself, and nobody else: src/cli/helper.c finds it there. Those that are workers
# need the library.
set(helpers "${CMAKE_INSTALL_LIBEXECDIR}/isoworker")
file(RELATIVE_PATH helpers_to_lib "${CMAKE_INSTALL_PREFIX}/${helpers}"
                                  "${CMAKE_INSTALL_FULL_LIBDIR}")
set_target_properties(isw_generic isw_bench_worker PROPERTIES
                      INSTALL_RPATH "$ORIGIN/${helpers_to_lib}")
install(TARGETS isw_generic isw_bench isw_bench_worker isw_bench_echo RUNTIME DESTINATION "${helpers}")
if(TARGET isw_bench_functions)
  install(TARGETS isw_bench_functions LIBRARY DESTINATION "${helpers}")
endif()
foreach(peer IN ITEMS isw_bench_grpc isw_bench_grpc_worker isw_bench_microhttpd)
  if(TARGET ${peer})
    install(TARGETS ${peer} RUNTIME DESTINATION "${helpers}")
  endif()
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/src/bench/queue/peers/"
        DESTINATION "${helpers}/isoworker-bench-peers" USE_SOURCE_PERMISSIONS
        FILES_MATCHING PATTERN "*.js" PATTERN package.json PATTERN node_modules EXCLUDE)
install(TARGETS isoworker EXPORT isoworkerTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(TARGETS isoworker_host EXPORT isoworkerHostTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")

install(TARGETS isoworker_http_client EXPORT isoworkerHttpClientTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")

# Modules stand in a folder beside the library: there src/pipeline/registry.c looks for them, and
# from there they find the library that loads them. A static library has them in itself.
if(BUILD_SHARED_LIBS)
  install(TARGETS isw_middleware_auth isw_middleware_compress
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/isoworker")
endif()
if(TARGET isw_store_redis)
  install(TARGETS isw_store_redis LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/isoworker/stores")
endif()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/isoworker"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/src/wire/PROTOCOL.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")

install(FILES "${PROJECT_BINARY_DIR}/man/isoworker.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${PROJECT_BINARY_DIR}/man/isoworker-host.yaml.5"
              "${PROJECT_BINARY_DIR}/man/isoworker-worker.yaml.5"
        DESTINATION "${CMAKE_INSTALL_MANDIR}/man5")

# Where bash-completion looks for the words of a command, of its name.
install(FILES "${PROJECT_SOURCE_DIR}/src/cli/completion/isoworker.bash"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME isoworker)

include(IsoworkerService)

# find_package(isoworker)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/isoworker")
set(made_dir "${PROJECT_BINARY_DIR}/package")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/isoworkerConfig.cmake.in" "${made_dir}/isoworkerConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${made_dir}/isoworkerConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(EXPORT isoworkerTargets NAMESPACE isoworker:: DESTINATION "${package_dir}")
install(EXPORT isoworkerHostTargets NAMESPACE isoworker:: DESTINATION "${package_dir}")
install(EXPORT isoworkerHttpClientTargets NAMESPACE isoworker:: DESTINATION "${package_dir}")
install(FILES "${made_dir}/isoworkerConfig.cmake" "${made_dir}/isoworkerConfigVersion.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/IsoworkerModule.cmake"
        DESTINATION "${package_dir}")
if(NOT BUILD_SHARED_LIBS)
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/IsoworkerDependencies.cmake"
          DESTINATION "${package_dir}")
endif()

# pkg-config isoworker, and isoworker-host. Folders below the prefix are named from where the file lies, others as they
# are, as some distributions have them.
set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/${pc_dir}" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(pc_prefix "\${pcfiledir}/${up}")
endif()
foreach(dir IN ITEMS LIBDIR INCLUDEDIR)
  set(pc_${dir} "${CMAKE_INSTALL_${dir}}")
  if(NOT IS_ABSOLUTE "${pc_${dir}}")
    set(pc_${dir} "\${prefix}/${pc_${dir}}")
  endif()
endforeach()
# Whoever links a static library needs what it stands on; nng has no file of its own there.
function(isw_install_pc name library description)
  set(pc_name ${name})
  set(pc_library ${library})
  set(pc_description "${description}")
  set(pc_requires "")
  set(pc_libs "")
  foreach(package IN LISTS ARGN)
    if(ISW_PKG_${package}_MODULE_NAME)
      string(APPEND pc_requires " ${ISW_PKG_${package}_MODULE_NAME}")
    endif()
  endforeach()
  if(NOT BUILD_SHARED_LIBS)
    set(pc_libs " -lnng -pthread -ldl -lm")
  endif()
  configure_file("${PROJECT_SOURCE_DIR}/cmake/isoworker.pc.in" "${made_dir}/${name}.pc" @ONLY)
  install(FILES "${made_dir}/${name}.pc" DESTINATION "${pc_dir}")
endfunction()
isw_install_pc(isoworker isoworker "${PROJECT_DESCRIPTION}" ${ISOWORKER_STATIC_NEEDS})
isw_install_pc(isoworker-host isoworker_host "Isolated function workers: the host as a library"
               ${ISOWORKER_HOST_STATIC_NEEDS})
set(ISW_PKG_sdk_MODULE_NAME isoworker)
isw_install_pc(isoworker-http-client isoworker_http_client "HTTP requests of isolated functions" sdk)

# cmake --build build --target uninstall: what the last installation wrote.
if(ISOWORKER_TOP_LEVEL)
  add_custom_target(uninstall
    COMMAND "${CMAKE_COMMAND}" "-DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt"
            -P "${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake"
    VERBATIM)
endif()
