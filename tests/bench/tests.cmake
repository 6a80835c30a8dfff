# SPDX-License-Identifier: Apache-2.0
# `isoworker bench`, run as a user runs it, one at a time; and parts of it alone.
function(isw_bench_test name script)
  add_test(NAME bench/${name}
           COMMAND "${Python3_EXECUTABLE}" -B "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${script}.py"
                   $<TARGET_FILE:isw_cli> ${ARGN})
  set_tests_properties(bench/${name} PROPERTIES LABELS bench TIMEOUT 120 RESOURCE_LOCK bench)
endfunction()

isw_bench_test(bench_has_a_complete_row_for_every_case bench)
if(NOT ISOWORKER_SANITIZE) # 16 workers with 10,000 functions take half a minute to start
  isw_bench_test(bench_full_has_a_row_for_every_point_of_every_table bench --full)
endif()
isw_bench_test(bench_models_tries_what_each_model_takes_along models)
set_tests_properties(bench/bench_models_tries_what_each_model_takes_along PROPERTIES
  ENVIRONMENT "ISOWORKER_SANITIZE=${ISOWORKER_SANITIZE}")
isw_bench_test(bench_http_has_every_row_of_every_stack_that_is_here http usual)
isw_bench_test(bench_http_measures_what_it_is_told_to http chosen)
isw_bench_test(bench_http_leaves_nothing_when_it_is_stopped http stopped)
isw_bench_test(bench_http_measures_another_worker http worker)
isw_bench_test(bench_http_has_tables_for_people http table)
isw_bench_test(bench_queue_has_every_row_beside_its_floor queue)
if(TARGET isw_bench_grpc_worker)
  isw_bench_test(bench_hosts_has_every_row_beside_its_floor hosts grpc)
else()
  isw_bench_test(bench_hosts_has_every_row_beside_its_floor_but_those_of_grpc hosts none)
endif()
isw_bench_test(bench_queue_measures_peers_and_names_what_is_missing queue_peers)
foreach(row IN ITEMS "postgresql libpq" "nats libnats")
  separate_arguments(row)
  list(GET row 0 kind)
  list(GET row 1 library)
  if(TARGET isw_dep_${library}_later)
    add_test(NAME bench/bench_queue_has_every_row_of_${kind}
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/broker/${kind}_server.py
                     "${Python3_EXECUTABLE}" -B ${CMAKE_CURRENT_SOURCE_DIR}/bench/queue.py
                     $<TARGET_FILE:isw_cli>)
    set_tests_properties(bench/bench_queue_has_every_row_of_${kind} PROPERTIES
      LABELS bench TIMEOUT 120 RESOURCE_LOCK bench SKIP_RETURN_CODE 77)
  endif()
endforeach()

set(bench ${PROJECT_SOURCE_DIR}/src/bench)
isw_test(bench/http/answer STACK base SOURCES ${bench}/http/answer.c)
isw_test(bench/http/speak STACK base SOURCES ${bench}/http/answer.c ${bench}/http/speak.c
         ${bench}/http/server.c ${bench}/clock.c ${bench}/samples.c)
isw_test(bench/tree STACK base SOURCES ${bench}/tree.c)
