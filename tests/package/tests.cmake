# SPDX-License-Identifier: Apache-2.0
# The installed tree, and the sources as a part of another project, used by strangers. One CTest
# entry for each method of run.py. They install what is built: build everything first.
if(NOT ISOWORKER_INSTALL)
  return()
endif()

# The runtime that a program brings along when the library was built with sanitizers.
set(package_sanitize "")
if(ISOWORKER_SANITIZE)
  set(package_sanitize "-fsanitize=${ISOWORKER_SANITIZE}")
endif()

set(package_run "${CMAKE_CURRENT_SOURCE_DIR}/package/run.py")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${package_run}")
file(STRINGS "${package_run}" lines REGEX "^    def test_")
foreach(line IN LISTS lines)
  string(REGEX REPLACE " *def test_([a-z0-9_]+).*" "\\1" name "${line}")
  add_test(NAME package/${name}
    COMMAND /usr/bin/python3 -B "${package_run}" PackageTest.test_${name})
  set_tests_properties(package/${name} PROPERTIES
    LABELS package TIMEOUT 900 SKIP_RETURN_CODE 77)
  set_property(TEST package/${name} PROPERTY ENVIRONMENT
    "ISOWORKER_BUILD=${CMAKE_BINARY_DIR}"
    "ISOWORKER_SOURCE=${PROJECT_SOURCE_DIR}"
    "ISOWORKER_VERSION=${PROJECT_VERSION}"
    "ISOWORKER_LIBDIR=${CMAKE_INSTALL_LIBDIR}"
    "ISOWORKER_CMAKE=${CMAKE_COMMAND}"
    "ISOWORKER_GENERATOR=${CMAKE_GENERATOR}"
    "ISOWORKER_BUILD_TYPE=${CMAKE_BUILD_TYPE}"
    "ISOWORKER_CC=${CMAKE_C_COMPILER}"
    "ISOWORKER_SANITIZE_FLAGS=${package_sanitize}")
endforeach()
# They compile the library anew, with two jobs; what takes long begins first.
set_tests_properties(package/subproject_consumer_builds
                     package/static_library_serves_and_uninstalls PROPERTIES PROCESSORS 2
                     COST 100)
