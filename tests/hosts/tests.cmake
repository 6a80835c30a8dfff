# SPDX-License-Identifier: Apache-2.0
# One worker, N hosts: the same programs under each, by table.py; `hosts_table` prints who gave what.
if(TARGET tour)
  isw_test_worker(values hosts/values.c)
  isw_python_tests(hosts table)
  add_custom_target(hosts_table
    COMMAND ${CMAKE_COMMAND} -E env ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin
            ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>
            /usr/bin/python3 -B ${CMAKE_CURRENT_SOURCE_DIR}/hosts/table.py table
    DEPENDS test_functions test_values tour isw_cli USES_TERMINAL)
endif()
