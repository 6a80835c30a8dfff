# SPDX-License-Identifier: Apache-2.0
isw_test(broker/broker STACK broker SOURCES broker/support.c)

# What holds for every place (support.h).
foreach(name IN ITEMS hosts load messages model queues shared)
  isw_test(broker/${name} STACK broker SOURCES broker/support.c)
endforeach()

# Of a file of SQLite's alone.
foreach(name IN ITEMS files power)
  isw_test(broker/sqlite/${name} STACK broker SOURCES broker/support.c broker/sqlite/disk.c
           USES sqlite3)
endforeach()

# The suite for real servers, of which one is begun and ended for each of these.
function(isw_broker_server_tests kind)
  if(NOT TARGET isw_dep_${ARGV1}_later OR NOT Python3_FOUND)
    return()
  endif()
  foreach(name IN ITEMS hosts load messages queues shared)
    add_test(NAME broker/${kind}/${name}
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/broker/${kind}_server.py
                     $<TARGET_FILE:test_broker_${name}>)
    set_tests_properties(broker/${kind}/${name} PROPERTIES LABELS broker TIMEOUT 180
                                                           SKIP_RETURN_CODE 77)
  endforeach()
endfunction()
isw_broker_server_tests(postgresql libpq)
isw_broker_server_tests(nats libnats)
if(TARGET isw_dep_libnats_later)
  isw_test(broker/nats/address STACK broker)
endif()
