set(http_support support/http_client.c support/http_front.c)
foreach(name IN ITEMS again answer bounds early front guest life side stream strict terms
        wait)
  isw_test(host/http/${name} STACK host SOURCES ${http_support})
endforeach()
foreach(name IN ITEMS access_line access_log caller deadline request_id small)
  isw_test(host/http/${name} STACK host)
endforeach()
isw_test(host/azure/proto STACK host)
add_executable(test_describe_rpc host/azure/describe.c)
target_link_libraries(test_describe_rpc PRIVATE isw_flags isw_stack_host)
add_test(NAME host/azure/described/the_tables_are_those_of_the_protocol
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/host/azure/described.py"
          $<TARGET_FILE:test_describe_rpc>)
set_tests_properties(host/azure/described/the_tables_are_those_of_the_protocol PROPERTIES
  LABELS host/azure SKIP_RETURN_CODE 77)
isw_test(host/http/trace STACK host)
isw_test(host/operate/admin STACK host SOURCES ${http_support})
isw_test(host/operate/handover STACK host)
isw_test(host/operate/journal STACK host)
isw_test(host/queue/counts STACK host)
isw_test(host/queue/verdict STACK host)
isw_test(host/timer/timed STACK host SOURCES host/timer/bench.c)
isw_test(host/operate/metrics STACK host)
isw_test(host/operate/metrics_memory STACK host)
isw_test(host/debug/redact STACK host)
foreach(name IN ITEMS address capture cgroup guest legacy listen log_file template)
  isw_test(host/system/${name} STACK host)
endforeach()

# The conformance suites of triggers, with a worker, and of sinks.
add_executable(test_conforming host/conforming_worker.c)
set_target_properties(test_conforming PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
target_link_libraries(test_conforming PRIVATE isw_flags isoworker)
isw_test(host/http/trigger STACK host SOURCES support/http_client.c)
isw_test(host/engine/choose STACK host)
isw_test(host/engine/lines STACK host)
isw_test(host/engine/trigger STACK host)
foreach(name IN ITEMS http engine)
  target_compile_definitions(test_host_${name}_trigger PRIVATE
    CONFORMING_WORKER="$<TARGET_FILE:test_conforming>")
  add_dependencies(test_host_${name}_trigger test_conforming)
endforeach()
isw_test(host/cloudevents/event STACK host)
foreach(name IN ITEMS request sign verdict)
  isw_test(host/webhooks/${name} STACK host USES curl)
endforeach()
isw_test(host/sinks/file STACK host SOURCES support/memory.c)
isw_test(host/sinks/log STACK host SOURCES support/memory.c)

# The host as a library, with real workers.
add_executable(test_library_worker host/library/worker.c)
set_target_properties(test_library_worker PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
target_link_libraries(test_library_worker PRIVATE isw_flags isoworker)
isoworker_add_module(test_library_module host/library/worker.c)
target_compile_definitions(test_library_module PRIVATE MODULE)
target_link_libraries(test_library_module PRIVATE isw_flags)
foreach(name IN ITEMS calls inside life service)
  isw_test(host/library/${name} STACK host SOURCES host/library/support.c)
  add_dependencies(test_host_library_${name} test_library_worker test_library_module isw_cli)
endforeach()
target_compile_definitions(test_host_library_inside PRIVATE
                           MODULE="$<TARGET_FILE:test_library_module>")

# TLS, with certificates that are made when the tests are built.
set(certificates "${CMAKE_BINARY_DIR}/tests/certificates")
add_custom_command(OUTPUT "${certificates}/server.pem"
  COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/support/certificates" "${certificates}"
  DEPENDS support/certificates VERBATIM)
add_custom_target(test_certificates ALL DEPENDS "${certificates}/server.pem")
foreach(name IN ITEMS peer session tls)
  isw_test(host/tls/${name} STACK host SOURCES host/tls/support.c)
  target_compile_definitions(test_host_tls_${name} PRIVATE CERTIFICATES="${certificates}")
  add_dependencies(test_host_tls_${name} test_certificates)
endforeach()
