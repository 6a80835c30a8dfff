# SPDX-License-Identifier: Apache-2.0
# Queues under faults; run.py says how more of them are tried.
isw_test_worker(witness faults/worker.c)
add_library(faults_clock MODULE faults/clock.c)
set_target_properties(faults_clock PROPERTIES PREFIX "" C_EXTENSIONS OFF
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers")
target_link_libraries(faults_clock PRIVATE isw_flags ${CMAKE_DL_LIBS})
add_dependencies(test_witness isw_cli faults_clock)
add_test(NAME faults/a_path_without_a_program_is_refused_at_once
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/faults/run.py" "${CMAKE_BINARY_DIR}/bin"
          "${CMAKE_BINARY_DIR}/none")
set_tests_properties(faults/a_path_without_a_program_is_refused_at_once PROPERTIES LABELS faults
  TIMEOUT 20 PASS_REGULAR_EXPRESSION "there is no program .*/none; ")
add_test(NAME faults/what_is_acknowledged_is_done_once_whatever_ends
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/faults/run.py" "${CMAKE_BINARY_DIR}/bin"
          "$<TARGET_FILE:test_witness>" --seconds 30)
set_tests_properties(faults/what_is_acknowledged_is_done_once_whatever_ends
  PROPERTIES LABELS faults TIMEOUT 300 COST 100)
