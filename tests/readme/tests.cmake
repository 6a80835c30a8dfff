# SPDX-License-Identifier: Apache-2.0
# README.md, done as it stands there; see run.py. It builds and installs a release of its own, so once
# is enough.
if(ISOWORKER_SANITIZE OR NOT ISOWORKER_TOP_LEVEL)
  return()
endif()
add_test(NAME readme/every_block_does_what_it_says
  COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/readme/run.py" "${PROJECT_SOURCE_DIR}")
set_tests_properties(readme/every_block_does_what_it_says PROPERTIES
  LABELS readme TIMEOUT 600 PROCESSORS 2 COST 100)
