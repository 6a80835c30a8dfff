# SPDX-License-Identifier: Apache-2.0
# `isoworker bench`, run as a user runs it, with nothing beside it.
function(isw_bench_test name)
  add_test(NAME bench/${name}
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/bench.py"
                   $<TARGET_FILE:isw_cli> ${ARGN})
  set_tests_properties(bench/${name} PROPERTIES LABELS bench TIMEOUT 120 RUN_SERIAL ON)
endfunction()

isw_bench_test(bench_has_a_complete_row_for_every_case)
if(NOT ISOWORKER_SANITIZE MATCHES thread) # 16 workers with 10,000 functions take a minute to start
  isw_bench_test(bench_full_has_a_row_for_every_point_of_every_table --full)
endif()
