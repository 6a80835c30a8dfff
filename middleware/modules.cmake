# SPDX-License-Identifier: Apache-2.0
# Middleware that needs libraries of its own is a module each, loaded when a YAML names it, so that
# workers without it load none of them. Its tests link the same sources statically, without the entry.
# The static library has them as its other middleware.
function(isw_middleware_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  if(NOT BUILD_SHARED_LIBS)
    add_library(isw_middleware_${name} OBJECT ${ARG_SOURCES})
    set_target_properties(isw_middleware_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
                                                            C_EXTENSIONS OFF)
    target_include_directories(isw_middleware_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
    target_link_libraries(isw_middleware_${name} PRIVATE isw_flags)
    foreach(package IN LISTS ARG_USES)
      target_link_libraries(isw_middleware_${name} PRIVATE isw_dep_${package})
    endforeach()
    return()
  endif()
  add_library(isw_middleware_${name} MODULE ${ARG_SOURCES} module.c)
  set_target_properties(isw_middleware_${name} PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" C_EXTENSIONS OFF INSTALL_RPATH "$ORIGIN/.."
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/isoworker")
  target_compile_definitions(isw_middleware_${name} PRIVATE ISW_MODULE_OF=isw_middleware_${name})
  target_include_directories(isw_middleware_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(isw_middleware_${name} PRIVATE isw_flags Threads::Threads)
  foreach(package IN LISTS ARG_USES)
    target_link_libraries(isw_middleware_${name} PRIVATE isw_dep_${package})
  endforeach()
  if(TARGET isoworker)
    target_link_libraries(isw_middleware_${name} PRIVATE isoworker)
  endif()
endfunction()

isw_middleware_module(auth USES jose jansson curl crypto
  SOURCES auth.c auth_base64url.c auth_caller.c auth_claims.c auth_fetch.c auth_grant.c auth_jwks.c
          auth_jwt.c auth_key.c auth_key_numbers.c auth_keys.c auth_keyset.c auth_options.c)
isw_middleware_module(compress USES zlib SOURCES compress.c compress_inflate.c)
