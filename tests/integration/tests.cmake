# SPDX-License-Identifier: Apache-2.0
# Tests of the programs as a person runs them: one CTest entry for each method of a Python class.
# A worker's program beside the others that tests start.
function(isw_test_worker name source)
  add_executable(test_${name} ${source})
  set_target_properties(test_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
  target_link_libraries(test_${name} PRIVATE isw_flags isoworker ${ARGN})
endfunction()

# The same functions in a shared object.
function(isw_test_module name source)
  isoworker_add_module(test_${name}_module ${source})
  set_target_properties(test_${name}_module PROPERTIES
    OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY "$<1:${CMAKE_BINARY_DIR}/tests/workers>"
    C_EXTENSIONS OFF)
  target_compile_definitions(test_${name}_module PRIVATE MODULE)
  target_link_libraries(test_${name}_module PRIVATE isw_flags)
endfunction()

foreach(name IN ITEMS functions other greedy healthy clashing files timers warm warmup messages webhooks events cloudevents azure)
  isw_test_worker(${name} integration/${name}.c)
endforeach()
isw_test_worker(calling integration/calling.c isoworker_http_client)
isw_test_module(functions integration/functions.c)
isw_test_module(healthy integration/healthy.c)
isw_test_module(warmup integration/warmup.c)
add_dependencies(test_functions test_events test_timers test_messages test_webhooks test_cloudevents test_warm test_warmup test_files test_calling test_greedy test_healthy test_healthy_module test_functions_module test_warmup_module test_clashing test_conforming isw_cli isw_middleware_auth isw_middleware_compress test_azure)

function(isw_integration file)
  isw_python_tests(integration ${file})
endfunction()

function(isw_python_tests folder file)
  set(path "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/${file}.py")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(STRINGS "${path}" lines REGEX "^class [A-Z]|^    def test_")
  foreach(line IN LISTS lines)
    if(line MATCHES "^class ([A-Za-z]+)")
      set(class ${CMAKE_MATCH_1})
      continue()
    endif()
    string(REGEX REPLACE " *def (test_[a-z0-9_]+).*" "\\1" method "${line}")
    string(REPLACE "test_" "" name "${method}")
    add_test(NAME ${folder}/${file}/${name}
      COMMAND /usr/bin/python3 -B "${path}" ${class}.${method})
    set_tests_properties(${folder}/${file}/${name} PROPERTIES
      LABELS ${folder} TIMEOUT 120
      ENVIRONMENT "ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin;ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>;ISOWORKER_SANITIZE=${ISOWORKER_SANITIZE};ISOWORKER_CERTIFICATES=${CMAKE_BINARY_DIR}/tests/certificates")
  endforeach()
endfunction()

isw_integration(faults)
isw_integration(answers)
isw_integration(azure)
isw_integration(access_log)
isw_integration(admin)
isw_integration(addresses)
isw_integration(azure_custom)
isw_integration(bounds)
isw_integration(deploying)
isw_integration(platforms)
isw_integration(callers)
isw_integration(cgroups)
set_tests_properties(integration/cgroups/all_of_it_holds_under_another_kernel PROPERTIES TIMEOUT 600)
isw_integration(deadlines)
isw_integration(http_client)
isw_integration(check)
isw_integration(auth)
isw_integration(reload)
isw_integration(coming)
isw_integration(files)
isw_integration(warmups)
isw_integration(renewal)
isw_integration(start)
isw_integration(streams)
if(TARGET full_chain)
  isw_integration(ten)
endif()
isw_integration(completion)
isw_integration(control)
isw_integration(crash)
isw_integration(debug)
isw_integration(fronts)
isw_integration(guests)
isw_integration(heads)
isw_integration(health)
isw_integration(http2)
isw_integration(invoke)
isw_integration(mistakes)
isw_integration(namesakes)
isw_integration(pages)
isw_integration(record)
isw_integration(remote)
isw_integration(drain)
isw_integration(inprocess)
isw_integration(lambda_batches)
isw_integration(lambda_events)
isw_integration(lambda_http)
isw_integration(lambda_package)
isw_integration(lambda_runtime)
isw_integration(messages)
isw_integration(webhooks)
isw_integration(cloudevents)
if(TARGET isw_dep_libpq_later)
  isw_integration(postgresql)
endif()
if(TARGET isw_dep_libnats_later)
  isw_integration(nats)
endif()
isw_integration(metrics)
isw_integration(prints)
isw_integration(process1)
isw_integration(queues)
isw_integration(tls)
isw_integration(states)
isw_integration(rolls)
add_custom_target(rolls_table # the long form: it takes minutes
  COMMAND "${CMAKE_COMMAND}" -E env "ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin"
    "ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>"
    /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/integration/rolls_table.py"
  DEPENDS test_functions isw_cli USES_TERMINAL)
isw_integration(scaling)
add_custom_target(scale_table # the long form of that
  COMMAND "${CMAKE_COMMAND}" -E env "ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin"
    "ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>"
    /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/integration/scale_table.py"
  DEPENDS test_functions isw_cli USES_TERMINAL)
isw_integration(service)
isw_integration(warm)
isw_integration(shared)
if(TARGET isw_store_redis)
  isw_integration(stores)
  add_dependencies(test_functions isw_store_redis)
endif()
isw_integration(spared)
isw_integration(timers)
isw_integration(upgrades)
add_custom_target(upgrades_table # likewise
  COMMAND "${CMAKE_COMMAND}" -E env "ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin"
    "ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>"
    "ISOWORKER_CERTIFICATES=${CMAKE_BINARY_DIR}/tests/certificates"
    /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/integration/upgrades_table.py"
  DEPENDS test_functions isw_cli USES_TERMINAL)
