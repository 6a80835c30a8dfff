# SPDX-License-Identifier: Apache-2.0
# Queues under faults; run.py says how more of them are tried.
isw_test_worker(witness faults/worker.c)
add_dependencies(test_witness isw_cli)
add_test(NAME faults/what_is_acknowledged_is_done_once_whatever_ends
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/faults/run.py" "${CMAKE_BINARY_DIR}/bin"
          "$<TARGET_FILE:test_witness>" --seconds 30)
set_tests_properties(faults/what_is_acknowledged_is_done_once_whatever_ends
  PROPERTIES LABELS faults TIMEOUT 300)
