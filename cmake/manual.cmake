# SPDX-License-Identifier: Apache-2.0
# Makes the manual pages of PAGES in OUT, whose reference parts are what the command COMMAND and the
# worker program PROGRAM say of themselves, so that these can never say something else.

# What a program prints, as it is to stand in a page.
function(printed out)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} ended with ${status}")
  endif()
  string(REPLACE "\\" "\\e" text "${text}")
  string(REPLACE "-" "\\-" text "${text}")
  string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# The first words of the lines that are indented by two, as lists of commands and middleware have it.
function(names_in out text)
  string(REGEX MATCHALL "\n  [a-z][a-z_]*  *[a-z]" lines "\n${text}")
  string(REGEX REPLACE "\n  ([a-z_]*)  *[a-z]" "\\1" names "${lines}")
  set(${out} "${names}" PARENT_SCOPE)
endfunction()

printed(overview "${COMMAND}" --help)
names_in(commands "${overview}")
list(REMOVE_ITEM commands version)
set(COMMANDS "")
foreach(command IN LISTS commands)
  printed(help "${COMMAND}" ${command} --help)
  string(REGEX REPLACE "\nhost.yaml:\n.*" "\n" help "${help}") # in a page of its own
  string(APPEND COMMANDS ".fi\n.SS ${command}\n.nf\n${help}")
  if(command STREQUAL lambda)
    printed(help "${COMMAND}" lambda package --help)
    string(APPEND COMMANDS ".fi\n.SS lambda package\n.nf\n${help}")
  endif()
endforeach()

printed(PROGRAM "${PROGRAM}" plain --help)
string(REPLACE "isoworker\\-worker" "WORKER" PROGRAM "${PROGRAM}")
printed(HOST "${COMMAND}" explain host.yaml)
printed(WORKER "${COMMAND}" explain worker.yaml)
printed(list "${COMMAND}" explain)
string(FIND "${list}" "\n\n" end) # below the names are the options of every entry
string(SUBSTRING "${list}" 0 ${end} known)
string(SUBSTRING "${list}" ${end} -1 ENTRIES)
string(STRIP "${ENTRIES}" ENTRIES)
names_in(middleware "${known}")
set(MIDDLEWARE "")
foreach(name IN LISTS middleware)
  printed(help "${COMMAND}" explain ${name})
  string(APPEND MIDDLEWARE ".SS ${name}\n.nf\n${help}.fi\n")
endforeach()

foreach(page IN ITEMS isoworker.1 isoworker-host.yaml.5 isoworker-worker.yaml.5)
  configure_file("${PAGES}/${page}.in" "${OUT}/${page}" @ONLY)
endforeach()
