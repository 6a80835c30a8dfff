# SPDX-License-Identifier: Apache-2.0
# auth is a module, so that workers without it load neither curl nor OpenSSL. Its tests link the
# same sources statically, all but the module's entry.
add_library(isw_middleware_auth MODULE
  auth.c auth_caller.c auth_claims.c auth_fetch.c auth_jwks.c auth_jwt.c auth_keys.c
  auth_keyset.c auth_module.c auth_options.c)
set_target_properties(isw_middleware_auth PROPERTIES
  OUTPUT_NAME auth PREFIX "" C_EXTENSIONS OFF
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/isoworker")
target_include_directories(isw_middleware_auth PRIVATE "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(isw_middleware_auth PRIVATE
  isw_flags isw_dep_jose isw_dep_jansson isw_dep_curl isw_dep_crypto Threads::Threads)
if(TARGET isoworker)
  target_link_libraries(isw_middleware_auth PRIVATE isoworker)
endif()
