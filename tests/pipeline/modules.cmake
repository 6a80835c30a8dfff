# SPDX-License-Identifier: Apache-2.0
# Shared objects for the tests of modules: one as it should be, one that is none, and one for each
# thing that can be wrong. ISW_TEST_MODULES is the folder where they lie.
set(module_folder "${CMAKE_BINARY_DIR}/tests/modules")
function(isw_test_module name source)
  add_library(test_module_${name} MODULE pipeline/${source}.c)
  set_target_properties(test_module_${name} PROPERTIES
    OUTPUT_NAME ${name} PREFIX "" C_EXTENSIONS OFF LIBRARY_OUTPUT_DIRECTORY "${module_folder}")
  target_include_directories(test_module_${name} PRIVATE "${PROJECT_SOURCE_DIR}/include")
  target_compile_definitions(test_module_${name} PRIVATE ${ARGN})
  target_link_libraries(test_module_${name} PRIVATE isw_flags)
endfunction()

isw_test_module(sample module_sample)
isw_test_module(empty module_empty)
set(module_targets test_module_sample test_module_empty)
foreach(variant IN ITEMS OTHER_ABI NOTHING BAD_OPTION TWINS FUTURE FUNCTIONS BUILT_IN SIZE)
  string(TOLOWER "${variant}" name)
  isw_test_module(${name} module_variant VARIANT=${variant})
  list(APPEND module_targets test_module_${name})
endforeach()

foreach(path IN ITEMS pipeline/module pipeline/registry)
  isw_test(${path} STACK pipeline SOURCES support/modules.c)
endforeach()
isw_test(pipeline/trusted STACK pipeline SOURCES support/modules.c)
isw_test(worker/registry/modules STACK worker SOURCES support/modules.c)
foreach(test IN ITEMS test_pipeline_module test_pipeline_registry test_worker_registry_modules)
  target_compile_definitions(${test} PRIVATE ISW_TEST_MODULES="${module_folder}/")
  add_dependencies(${test} ${module_targets})
endforeach()
