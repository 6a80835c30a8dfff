# SPDX-License-Identifier: Apache-2.0
# The pages and folders that say what the house is, held to what it is.
isw_python_tests(structure house)
if(ISOWORKER_FOLLOW)
  add_library(test_follow MODULE structure/follow.c)
  set_target_properties(test_follow PROPERTIES
    OUTPUT_NAME follow PREFIX "" C_EXTENSIONS OFF
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  target_link_libraries(test_follow PRIVATE isw_flags)
  isw_python_tests(structure way)
endif()
