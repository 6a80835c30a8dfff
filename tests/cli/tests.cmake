# SPDX-License-Identifier: Apache-2.0
# The command, run as a user runs it.
add_test(NAME cli/explain_knows_every_middleware
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/explain.py"
                 $<TARGET_FILE:isw_cli>)
set_tests_properties(cli/explain_knows_every_middleware PROPERTIES LABELS cli TIMEOUT 60)

add_test(NAME cli/worker_serves_functions_of_a_shared_object
         COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_LIST_DIR}/worker.py"
                 $<TARGET_FILE:isw_cli> "${CMAKE_BINARY_DIR}/tests/modules")
set_tests_properties(cli/worker_serves_functions_of_a_shared_object PROPERTIES
                     LABELS cli TIMEOUT 60)
