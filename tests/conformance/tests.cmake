# SPDX-License-Identifier: Apache-2.0
# The other host and the other worker, in Python, against each other; and that host with a worker in
# C that streams.
add_test(NAME conformance/python_host_and_worker_agree
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/conformance/agree.py
                 $<$<TARGET_EXISTS:streaming>:${CMAKE_BINARY_DIR}/bin/streaming>)
set_tests_properties(conformance/python_host_and_worker_agree PROPERTIES
                     LABELS conformance TIMEOUT 120)

# What PROTOCOL.md says that a host does, asked of ours by a worker in Python; and the other way
# round.
isw_python_tests(conformance our_host)
isw_python_tests(conformance our_worker)

if(ISOWORKER_SANITIZE)
  return() # what follows runs other languages
endif()

# The libraries in samples/languages, in the same way, and under our host: one CTest entry for each
# test and language.
find_program(ISOWORKER_NODE node)
set(conformance_folder "${CMAKE_CURRENT_SOURCE_DIR}/conformance")

# `language` runs `class`.test_* of `file`, told by `lines` in which class is which.
function(isw_language_tests language file class as)
  set(path "${conformance_folder}/${file}.py")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(STRINGS "${path}" lines REGEX "^class [A-Z]|^    def test_")
  foreach(line IN LISTS lines)
    if(line MATCHES "^class ([A-Za-z]+)")
      set(current ${CMAKE_MATCH_1})
    elseif(current STREQUAL class)
      string(REGEX REPLACE " *def test_([a-z0-9_]+).*" "\\1" name "${line}")
      set(test conformance/languages/${language}/${name})
      add_test(NAME ${test} COMMAND /usr/bin/python3 -B "${path}" ${as}.test_${name})
      set_tests_properties(${test} PROPERTIES LABELS conformance TIMEOUT 120
        ENVIRONMENT "ISOWORKER_BIN=${CMAKE_BINARY_DIR}/bin;ISOWORKER_TEST_WORKER=$<TARGET_FILE:test_functions>;ISOWORKER_SANITIZE=${ISOWORKER_SANITIZE};ISOWORKER_CERTIFICATES=${CMAKE_BINARY_DIR}/tests/certificates;ISOWORKER_CONFORMING_WORKER=${ARGN}")
    endif()
  endforeach()
endfunction()

isw_language_tests(python our_worker Worker Worker
  "/usr/bin/python3 -B ${conformance_folder}/languages/functions.py")
isw_language_tests(python languages/features Features Python)
isw_language_tests(node languages/features Features Node) # says so where there is no node
if(ISOWORKER_NODE)
  isw_language_tests(node our_worker Worker Worker
    "${ISOWORKER_NODE} ${conformance_folder}/languages/functions.js")
endif()
isw_language_tests(all languages/features Page Page)
