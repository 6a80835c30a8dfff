# SPDX-License-Identifier: Apache-2.0
# A worker's program, run as a user runs it.
if(ISOWORKER_BUILD_SAMPLES)
  add_test(NAME worker/program/invoke_refuses_what_no_host_would_run
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/invoke.py"
                   "${CMAKE_BINARY_DIR}/bin")
  set_tests_properties(worker/program/invoke_refuses_what_no_host_would_run PROPERTIES
                       LABELS worker/program TIMEOUT 60)
endif()
