# SPDX-License-Identifier: Apache-2.0
# Each sample that has a golden file, run as its reader would run it; see run.py.
if(NOT ISOWORKER_BUILD_SAMPLES)
  return()
endif()
file(GLOB golden_files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/samples/*/golden")
foreach(golden IN LISTS golden_files)
  get_filename_component(folder "${golden}" DIRECTORY)
  get_filename_component(name "${folder}" NAME)
  set(modules "${CMAKE_BINARY_DIR}/samples/${name}")
  set(of "")
  if(EXISTS "${modules}/host.yaml")
    set(of --of "${modules}")
  elseif(NOT TARGET ${name})
    continue() # what it needs is not installed
  endif()
  add_test(NAME samples/${name}
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/samples/run.py"
            "${CMAKE_BINARY_DIR}/bin" "${folder}" ${of})
  set_tests_properties(samples/${name} PROPERTIES LABELS samples TIMEOUT 120)
endforeach()

# The front's whole host.yaml is for reading; that it is right, the check says.
add_test(NAME samples/front
  COMMAND "${CMAKE_COMMAND}" -E env "FRONT_TLS=${CMAKE_BINARY_DIR}/tests/certificates"
          "PATH=${CMAKE_BINARY_DIR}/bin:$ENV{PATH}"
          "${CMAKE_BINARY_DIR}/bin/isoworker" check "${PROJECT_SOURCE_DIR}/samples/front")
set_tests_properties(samples/front PROPERTIES LABELS samples TIMEOUT 120
  PASS_REGULAR_EXPRESSION "the configuration is right: 1 worker, 1 function\n")
