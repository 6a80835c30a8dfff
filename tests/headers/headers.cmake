# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, as C11 and as C++17, with warnings as errors. A file of one
# line includes it twice, so that its guard is tried too.
set(header_root "${PROJECT_SOURCE_DIR}/include")
file(GLOB_RECURSE public_headers CONFIGURE_DEPENDS RELATIVE "${header_root}"
     "${header_root}/isoworker/*.h")
set(header_cxx "${CMAKE_CXX_COMPILER}")
if(NOT header_cxx)
  find_program(ISOWORKER_CXX NAMES g++ clang++ c++)
  set(header_cxx "${ISOWORKER_CXX}")
endif()

function(isw_header_test header language compiler)
  string(MAKE_C_IDENTIFIER "${header}" id)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.${language}")
  file(GENERATE OUTPUT "${source}" CONTENT "#include <${header}>\n#include <${header}>\n")
  add_test(NAME headers/${header}_as_${language}
           COMMAND ${compiler} ${ARGN} -Wall -Wextra -Wpedantic -Werror -fsyntax-only
                   -I "${header_root}" "${source}")
  set_tests_properties(headers/${header}_as_${language} PROPERTIES LABELS headers)
endfunction()

foreach(header IN LISTS public_headers)
  isw_header_test(${header} c "${CMAKE_C_COMPILER}" -std=c11)
  if(header_cxx)
    isw_header_test(${header} cpp "${header_cxx}" -std=c++17)
  endif()
endforeach()
