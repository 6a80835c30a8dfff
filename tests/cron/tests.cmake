# SPDX-License-Identifier: Apache-2.0
foreach(name IN ITEMS civil expression footer next zone)
  isw_test(cron/${name} STACK cron)
endforeach()

# What test_cron_times says of expressions and zones, against libraries that others wrote.
add_executable(test_cron_times cron/times.c)
set_target_properties(test_cron_times PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests" C_EXTENSIONS OFF)
target_link_libraries(test_cron_times PRIVATE isw_flags isw_stack_cron)
set(path "${CMAKE_CURRENT_SOURCE_DIR}/cron/oracle.py")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
file(STRINGS "${path}" lines REGEX "^    def test_")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " *def test_([a-z0-9_]+).*" "\\1" name "${line}")
  add_test(NAME cron/${name} COMMAND /usr/bin/python3 -B "${path}" Oracle.test_${name})
  set_tests_properties(cron/${name} PROPERTIES LABELS cron TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "ISOWORKER_CRON_TIMES=$<TARGET_FILE:test_cron_times>")
endforeach()
