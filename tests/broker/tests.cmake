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
