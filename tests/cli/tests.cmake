# SPDX-License-Identifier: Apache-2.0
# The command, run as a user runs it.
add_test(NAME cli/bench_has_a_complete_row_for_every_case
  COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/bench.py" $<TARGET_FILE:isw_cli>)
set_tests_properties(cli/bench_has_a_complete_row_for_every_case PROPERTIES
  LABELS cli TIMEOUT 120 RUN_SERIAL ON)
