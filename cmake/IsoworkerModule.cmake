# SPDX-License-Identifier: Apache-2.0
# isoworker_add_module(NAME SOURCES...) makes NAME.so in the current build folder: a module, which
# exports nothing but what ISW_MODULE or ISW_APP_MODULE of <isoworker/sys/module.h> says.
function(isoworker_add_module name)
  get_target_property(type isoworker::isoworker TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    message(FATAL_ERROR "isoworker_add_module(${name}): a program that has isoworker as a static "
                        "library takes no modules; build isoworker with BUILD_SHARED_LIBS=ON")
  endif()
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY "$<1:${CMAKE_CURRENT_BINARY_DIR}>")
  target_link_libraries(${name} PRIVATE isoworker::isoworker)
endfunction()
