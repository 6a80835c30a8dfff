# SPDX-License-Identifier: Apache-2.0
isw_test(wire/apart STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/golden STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/codec STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/members STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/encode STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/hostile STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/cursor STACK wire SOURCES wire/support.c support/memory.c)
isw_test(wire/protocol STACK wire)

# Files that were edited by hand, or a generator that moved on without them.
add_test(NAME wire/golden_files_are_what_the_generator_writes
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/wire/golden.py --check)
set_tests_properties(wire/golden_files_are_what_the_generator_writes PROPERTIES LABELS wire)
