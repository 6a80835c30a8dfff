# SPDX-License-Identifier: Apache-2.0
isw_test(broker/broker STACK broker SOURCES broker/support.c)

# What holds for every place (support.h).
foreach(name IN ITEMS hosts load messages model queues)
  isw_test(broker/${name} STACK broker SOURCES broker/support.c)
endforeach()

# Of a file of SQLite's alone.
foreach(name IN ITEMS files power)
  isw_test(broker/sqlite/${name} STACK broker SOURCES broker/support.c broker/sqlite/disk.c
           USES sqlite3)
endforeach()

# The suite for a real server of PostgreSQL, which is begun and ended for each of these.
if(TARGET isw_dep_libpq_later AND Python3_FOUND)
  foreach(name IN ITEMS hosts load messages queues)
    add_test(NAME broker/postgresql/${name}
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/broker/postgresql/server.py
                     $<TARGET_FILE:test_broker_${name}>)
    set_tests_properties(broker/postgresql/${name} PROPERTIES LABELS broker TIMEOUT 180
                                                              SKIP_RETURN_CODE 77)
  endforeach()
endif()
