# SPDX-License-Identifier: Apache-2.0
# What tests/container/run is made of, as far as it can be tried without a root; see check.py.
set(path "${CMAKE_CURRENT_SOURCE_DIR}/container/check.py")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
file(STRINGS "${path}" lines REGEX "^    def test_")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " *def test_([a-z0-9_]+).*" "\\1" name "${line}")
  add_test(NAME container/${name} COMMAND /usr/bin/python3 -B "${path}" Container.test_${name})
  set_tests_properties(container/${name} PROPERTIES LABELS container TIMEOUT 60)
endforeach()
