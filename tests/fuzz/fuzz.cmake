# SPDX-License-Identifier: Apache-2.0
# isw_fuzz(NAME STACK layer [SOURCES more.c...] [WORKERS target...]): tests/fuzz/NAME.c, which
# defines LLVMFuzzerTestOneInput; WORKERS are programs that it starts, in ISW_FUZZ_WORKERS.
#   fuzz_NAME       replays the corpus tests/fuzz/corpus/NAME; any compiler; a CTest entry
#   fuzz_NAME_live  libFuzzer, in <build>/fuzz; clang only. It compiles the sources of the layer and
#                   of those above it anew, so that every line is instrumented in any build:
#                     build/clang/fuzz/fuzz_NAME_live -max_total_time=60 NEW_FOLDER CORPUS_FOLDER

# The sources of a layer and of all it stands on, and the packages they use.
function(isw_fuzz_collect layer sources packages)
  get_target_property(dir isw_${layer} SOURCE_DIR)
  get_target_property(files isw_${layer} SOURCES)
  list(TRANSFORM files PREPEND "${dir}/")
  get_target_property(links isw_stack_${layer} INTERFACE_LINK_LIBRARIES)
  if(NOT links)
    set(links "") # the middleware stand on nothing
  endif()
  set(found "")
  foreach(link IN LISTS links)
    if(link MATCHES "^isw_stack_(.+)$")
      isw_fuzz_collect(${CMAKE_MATCH_1} more used)
      list(APPEND files ${more})
      list(APPEND found ${used})
    else()
      list(APPEND found ${link})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES files)
  list(REMOVE_DUPLICATES found)
  set(${sources} ${files} PARENT_SCOPE)
  set(${packages} ${found} PARENT_SCOPE)
endfunction()

function(isw_fuzz name)
  cmake_parse_arguments(ARG "" "STACK" "SOURCES;WORKERS" ${ARGN})
  set(here "${CMAKE_CURRENT_SOURCE_DIR}/fuzz")
  list(TRANSFORM ARG_SOURCES PREPEND "${here}/")
  set(workers "ISW_FUZZ_WORKERS=\"${CMAKE_BINARY_DIR}/tests/workers\"")
  add_executable(fuzz_${name} "${here}/${name}.c" ${ARG_SOURCES} "${here}/replay.c")
  set_target_properties(fuzz_${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests" C_EXTENSIONS OFF)
  target_include_directories(fuzz_${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(fuzz_${name} PRIVATE ${workers})
  target_link_libraries(fuzz_${name} PRIVATE isw_flags isw_stack_${ARG_STACK})
  add_test(NAME fuzz/${name}/replays_its_corpus
           COMMAND fuzz_${name} "${here}/corpus/${name}")
  set_tests_properties(fuzz/${name}/replays_its_corpus PROPERTIES LABELS fuzz TIMEOUT 120)

  if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    isw_fuzz_collect(${ARG_STACK} sources packages)
    add_executable(fuzz_${name}_live "${here}/${name}.c" ${ARG_SOURCES} ${sources})
    set_target_properties(fuzz_${name}_live PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz" C_STANDARD 11 C_EXTENSIONS OFF)
    # Not isw_flags: they may carry another sanitizer.
    target_compile_definitions(fuzz_${name}_live PRIVATE _GNU_SOURCE ${workers}
                               $<TARGET_PROPERTY:isw_${ARG_STACK},COMPILE_DEFINITIONS>)
    target_compile_options(fuzz_${name}_live PRIVATE
      -g -O1 -fno-omit-frame-pointer -fno-strict-aliasing -fsanitize=fuzzer,address)
    target_link_options(fuzz_${name}_live PRIVATE -fsanitize=fuzzer,address)
    target_include_directories(fuzz_${name}_live PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}"
      "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(fuzz_${name}_live PRIVATE ${packages})
  endif()
  foreach(worker IN LISTS ARG_WORKERS)
    add_dependencies(fuzz_${name} ${worker})
    if(TARGET fuzz_${name}_live)
      add_dependencies(fuzz_${name}_live ${worker})
    endif()
  endforeach()
endfunction()

isw_fuzz(yaml_loader STACK config)
isw_fuzz(wire_codec STACK wire)
isw_fuzz(http_texts STACK worker)
isw_fuzz(values STACK value)
isw_fuzz(cron STACK cron)
isw_fuzz(networks STACK url)
isw_fuzz(cloudevents STACK host)
isw_fuzz(forwarded STACK url)
isw_fuzz(proxy STACK http1)
isw_fuzz(front STACK host)
isw_fuzz(http1 STACK http1 SOURCES ../http1/transcript.c)

# The two workers of live_ring: one as a user writes it, and one that only says hello.
add_executable(live_ring_echo fuzz/live_ring/echo.c)
target_link_libraries(live_ring_echo PRIVATE isw_flags isoworker)
add_executable(live_ring_greeter fuzz/live_ring/greeter.c)
target_link_libraries(live_ring_greeter PRIVATE isw_flags isw_stack_link)
set_target_properties(live_ring_echo live_ring_greeter PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
isw_fuzz(live_ring STACK host
         SOURCES live_ring/attacker.c live_ring/live.c live_ring/script.c
         WORKERS live_ring_echo live_ring_greeter)

# The same against a host whose attacker speaks on the socket first.
add_test(NAME fuzz/live_ring/replays_its_corpus_when_the_session_begins_on_the_socket
         COMMAND fuzz_live_ring "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/live_ring")
set_tests_properties(fuzz/live_ring/replays_its_corpus_when_the_session_begins_on_the_socket
  PROPERTIES LABELS fuzz TIMEOUT 120 ENVIRONMENT LIVE_RING_BY_SOCKET=1)
