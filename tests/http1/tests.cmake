# SPDX-License-Identifier: Apache-2.0
isw_test(http1/answer STACK http1)
isw_test(http1/body STACK http1)
isw_test(http1/head STACK http1 SOURCES http1/transcript.c support/memory.c)
isw_test(http1/proxy STACK http1)

# What the readers make of bytes, for tests that ask a second parser the same.
add_executable(test_http1_reader http1/reader.c http1/transcript.c)
set_target_properties(test_http1_reader PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/workers" C_EXTENSIONS OFF)
target_include_directories(test_http1_reader PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
target_link_libraries(test_http1_reader PRIVATE isw_flags isw_stack_http1)

add_test(NAME http1/a_second_parser_reads_the_same_but_where_it_is_meant
         COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/http1/differ.py" $<TARGET_FILE:test_http1_reader>)
set_tests_properties(http1/a_second_parser_reads_the_same_but_where_it_is_meant PROPERTIES
  LABELS http1 TIMEOUT 120 SKIP_RETURN_CODE 77)
