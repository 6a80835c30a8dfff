# SPDX-License-Identifier: Apache-2.0
# Private flags for every target of ours, and the one function that makes a layer.
add_library(isw_flags INTERFACE)
target_compile_features(isw_flags INTERFACE c_std_11)
target_compile_definitions(isw_flags INTERFACE
  _GNU_SOURCE $<$<NOT:$<BOOL:${BUILD_SHARED_LIBS}>>:ISWI_STATIC>)
target_compile_options(isw_flags INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
  -Wconversion -Wno-sign-conversion -fvisibility=hidden -fno-strict-aliasing
  $<$<BOOL:${ISOWORKER_WERROR}>:-Werror>)
if(ISOWORKER_SANITIZE)
  set(sanitize -fsanitize=${ISOWORKER_SANITIZE} -fno-omit-frame-pointer)
  if(ISOWORKER_SANITIZE MATCHES undefined)
    list(APPEND sanitize -fno-sanitize-recover=undefined)
  endif()
  target_compile_options(isw_flags INTERFACE ${sanitize})
  target_link_options(isw_flags INTERFACE ${sanitize})
endif()

# What tests/structure/way.py follows: functions that tell when they begin, to the C library unless
# the test is there.
function(isw_can_be_followed target)
  if(ISOWORKER_FOLLOW)
    target_compile_options(${target} PRIVATE -finstrument-functions)
  endif()
endfunction()

# isw_layer(NAME SOURCES ... ABOVE ... USES ...): one folder of src/ as an OBJECT library.
# ABOVE names the layers it stands on, USES the third-party packages that only it may see.
# isw_stack_NAME is what a test of the layer links: its objects, those above, and nothing below.
function(isw_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;ABOVE;USES" ${ARGN})
  add_library(isw_${name} OBJECT ${ARG_SOURCES})
  set_target_properties(isw_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON C_EXTENSIONS OFF)
  target_include_directories(isw_${name}
    PUBLIC "${PROJECT_SOURCE_DIR}/include" PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(isw_${name} PRIVATE isw_flags Threads::Threads)
  isw_can_be_followed(isw_${name})

  add_library(isw_stack_${name} INTERFACE)
  target_sources(isw_stack_${name} INTERFACE $<TARGET_OBJECTS:isw_${name}>)
  target_include_directories(isw_stack_${name} INTERFACE
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(isw_stack_${name} INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
  foreach(package IN LISTS ARG_USES)
    target_link_libraries(isw_${name} PRIVATE isw_dep_${package})
    target_link_libraries(isw_stack_${name} INTERFACE isw_dep_${package})
  endforeach()
  foreach(layer IN LISTS ARG_ABOVE)
    target_link_libraries(isw_stack_${name} INTERFACE isw_stack_${layer})
  endforeach()
endfunction()
