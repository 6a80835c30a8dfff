# SPDX-License-Identifier: Apache-2.0
# Link, pipeline and worker, layer by layer.
isw_test(link/apart STACK link SOURCES link/support.c)
isw_test(link/conformance STACK link SOURCES link/support.c)
isw_test(link/far STACK link)
isw_test(link/loans STACK link SOURCES link/support.c)
isw_test(link/nng_calls STACK link)
isw_test(link/outbox STACK link SOURCES support/memory.c)
isw_test(link/ring STACK link SOURCES link/support.c)
isw_test(link/ring_writer STACK link)
isw_test(link/socket_lane STACK link SOURCES link/support.c)
isw_test(link/sp STACK link)
isw_test(link/ring_bell STACK link SOURCES link/support.c)

isw_test(store/memory STACK store)
if(TARGET isw_redis)
  isw_test(redis/address STACK redis)
  isw_test(redis/client STACK redis SOURCES support/redis.c)
  isw_test(redis/driver STACK redis SOURCES support/redis.c)
endif()

isw_test(httpclient/circuit STACK worker SOURCES ../src/httpclient/circuit.c USES curl)

isw_test(pipeline/chain STACK pipeline SOURCES pipeline/support.c)

foreach(name IN ITEMS locale
                      context/answer context/cancel context/context context/convert context/failure
                      context/log context/metrics context/metrics_memory context/outcome
                      context/outgoing context/services
                      http/caller http/conditions http/cookie http/file http/form http/headers
                      http/multipart http/reply http/stream http/struct
                      program/local program/replay program/template
                      registry/doubts registry/function_settings registry/reload registry/settings
                      registry/triggers
                      testing/events testing/testing)
  isw_test(worker/${name} STACK worker SOURCES worker/support.c)
endforeach()
foreach(name IN ITEMS circuit_breaker cors error_handling idempotency logging metrics rate_limit retry
                      shared timeout trace validate)
  isw_test(middleware/${name} STACK worker SOURCES worker/support.c)
endforeach()

isw_test(middleware/compress STACK worker SOURCES ../middleware/compress.c
                             ../middleware/compress_inflate.c USES zlib)

include(pipeline/modules.cmake)

isw_test(worker/session/dispatch STACK worker)
foreach(name IN ITEMS context/emit session/end session/health session/invoke session/log session/metrics
                      session/session session/stream_read session/stream_write)
  isw_test(worker/${name} STACK worker SOURCES worker/support.c support/scripted_host.c)
endforeach()

# The structure of the tree itself.
include(headers/headers.cmake)
if(NOT ISOWORKER_SANITIZE) # once is enough, and a sanitizer exports names of its own
  add_test(NAME structure/every_include_keeps_to_the_layers
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/layers.py)
  set_tests_properties(structure/every_include_keeps_to_the_layers PROPERTIES LABELS structure)
  foreach(layer IN ITEMS base broker cli config cron host http1 link pipeline reactor redis store url value
                        wire worker)
    if(NOT TARGET isw_${layer})
      continue() # what it needs is not installed
    endif()
    add_test(NAME structure/no_files_of_${layer}_need_each_other
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/circles.py ${CMAKE_NM} $<TARGET_OBJECTS:isw_${layer}>
             COMMAND_EXPAND_LISTS)
    set_tests_properties(structure/no_files_of_${layer}_need_each_other PROPERTIES LABELS structure)
  endforeach()
  add_test(NAME structure/the_library_exports_its_interface_alone
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/symbols.py ${CMAKE_NM} $<TARGET_FILE:isoworker>
                   ${PROJECT_SOURCE_DIR}/include)
  add_test(NAME structure/the_library_of_the_host_exports_its_interface_alone
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/symbols.py ${CMAKE_NM} $<TARGET_FILE:isoworker_host>
                   ${PROJECT_SOURCE_DIR}/include host.h value.h status.h)
  add_test(NAME structure/the_library_of_the_client_exports_its_interface_alone
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/symbols.py ${CMAKE_NM}
                   $<TARGET_FILE:isoworker_http_client> ${PROJECT_SOURCE_DIR}/include http_client.h)
  set_tests_properties(structure/the_library_exports_its_interface_alone
                       structure/the_library_of_the_client_exports_its_interface_alone
                       structure/the_library_of_the_host_exports_its_interface_alone PROPERTIES
                       LABELS structure)
endif()
