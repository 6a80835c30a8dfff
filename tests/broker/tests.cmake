# SPDX-License-Identifier: Apache-2.0
isw_test(broker/broker STACK broker)

# What holds for every place (support.h).
foreach(name IN ITEMS hosts messages queues)
  isw_test(broker/${name} STACK broker SOURCES broker/support.c)
endforeach()
