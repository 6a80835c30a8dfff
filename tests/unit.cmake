# SPDX-License-Identifier: Apache-2.0
# Link, pipeline and worker, layer by layer.
isw_test(link/conformance STACK link SOURCES link/support.c)
isw_test(link/loans STACK link SOURCES link/support.c)
isw_test(link/message_lane STACK link SOURCES link/support.c)
isw_test(link/outbox STACK link)
isw_test(link/ring STACK link SOURCES link/support.c)
isw_test(link/ring_bell STACK link SOURCES link/support.c)

isw_test(pipeline/chain STACK pipeline SOURCES pipeline/support.c)
isw_test(pipeline/registry STACK pipeline)

foreach(name IN ITEMS cancel context convert failure function_settings http http_conditions
                      http_cookie http_date http_file http_form http_headers http_multipart
                      http_stream local log outcome reload services settings
                      testing)
  isw_test(worker/${name} STACK worker SOURCES worker/support.c)
endforeach()
foreach(name IN ITEMS circuit_breaker cors error_handling idempotency logging rate_limit retry timeout trace
                      validate)
  isw_test(middleware/${name} STACK worker SOURCES worker/support.c)
endforeach()

isw_test(middleware/compress STACK worker SOURCES ../middleware/compress.c USES zlib)

# A shared object that is a module, and one that is none.
foreach(name IN ITEMS module_sample module_empty)
  add_library(test_${name} MODULE pipeline/${name}.c)
  set_target_properties(test_${name} PROPERTIES PREFIX "" C_EXTENSIONS OFF
                        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(test_${name} PRIVATE isw_flags)
endforeach()
foreach(test IN ITEMS test_pipeline_registry test_worker_settings)
  add_dependencies(${test} test_module_sample test_module_empty)
  target_compile_definitions(${test} PRIVATE
    ISW_TEST_MODULE="$<TARGET_FILE:test_module_sample>"
    ISW_TEST_NO_MODULE="$<TARGET_FILE:test_module_empty>")
endforeach()

isw_test(worker/dispatch STACK worker)
foreach(name IN ITEMS emit session session_end session_invoke session_log stream_read
                      stream_write)
  isw_test(worker/${name} STACK worker SOURCES worker/support.c support/scripted_host.c)
endforeach()

# The structure of the tree itself.
include(headers/headers.cmake)
add_test(NAME structure/every_include_keeps_to_the_layers
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/layers.py)
set_tests_properties(structure/every_include_keeps_to_the_layers PROPERTIES LABELS structure)
if(NOT ISOWORKER_SANITIZE) # a sanitizer exports names of its own
  add_test(NAME structure/the_library_exports_its_interface_alone
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/symbols.py ${CMAKE_NM} $<TARGET_FILE:isoworker>
                   ${PROJECT_SOURCE_DIR}/include)
  set_tests_properties(structure/the_library_exports_its_interface_alone PROPERTIES
                       LABELS structure)
endif()
