# SPDX-License-Identifier: Apache-2.0
# The command, run as a user runs it.
function(isw_bench_test name)
  add_test(NAME cli/${name}
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/bench.py"
                   $<TARGET_FILE:isw_cli> ${ARGN})
  set_tests_properties(cli/${name} PROPERTIES LABELS cli TIMEOUT 120 RUN_SERIAL ON)
endfunction()

add_test(NAME cli/explain_knows_every_middleware
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/explain.py"
                 $<TARGET_FILE:isw_cli>)
set_tests_properties(cli/explain_knows_every_middleware PROPERTIES LABELS cli TIMEOUT 60)

add_test(NAME cli/worker_serves_functions_of_a_shared_object
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/worker.py"
                 $<TARGET_FILE:isw_cli> "${CMAKE_BINARY_DIR}/tests/modules")
set_tests_properties(cli/worker_serves_functions_of_a_shared_object PROPERTIES
                     LABELS cli TIMEOUT 60)

isw_bench_test(bench_has_a_complete_row_for_every_case)
if(NOT ISOWORKER_SANITIZE MATCHES thread) # 16 workers with 10,000 functions take a minute to start
  isw_bench_test(bench_full_has_a_row_for_every_point_of_every_table --full)
endif()

if(ISOWORKER_BUILD_SAMPLES)
  add_test(NAME cli/invoke_refuses_what_no_host_would_run
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/invoke.py"
                   "${CMAKE_BINARY_DIR}/bin")
  set_tests_properties(cli/invoke_refuses_what_no_host_would_run PROPERTIES LABELS cli TIMEOUT 60)
endif()
