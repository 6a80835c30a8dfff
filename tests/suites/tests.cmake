# SPDX-License-Identifier: Apache-2.0
# What suites of others are run against, and a test of their runner that needs none of them.
add_executable(test_suites suites/worker.c)
set_target_properties(test_suites PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
target_link_libraries(test_suites PRIVATE isw_flags isoworker isw_dep_curl)
add_dependencies(test_suites test_cron_times isw_cli isw_middleware_auth isw_middleware_compress)

add_executable(test_suites_verify suites/verify.c)
foreach(source IN LISTS auth_sources)
  if(NOT source MATCHES "auth_support")
    target_sources(test_suites_verify PRIVATE ${source})
  endif()
endforeach()
set_target_properties(test_suites_verify PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
target_link_libraries(test_suites_verify PRIVATE isw_flags isw_stack_worker isw_dep_jose
  isw_dep_jansson isw_dep_curl isw_dep_crypto)

set(path "${CMAKE_CURRENT_SOURCE_DIR}/suites/check.py")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
file(STRINGS "${path}" lines REGEX "^    def test_")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " *def test_([a-z0-9_]+).*" "\\1" name "${line}")
  add_test(NAME suites/${name} COMMAND /usr/bin/python3 -B "${path}" Runner.test_${name})
  set_tests_properties(suites/${name} PROPERTIES LABELS suites TIMEOUT 60
    ENVIRONMENT "ISOWORKER_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
