# SPDX-License-Identifier: Apache-2.0
# The other host and the other worker, in Python, against each other; and that host with a worker in
# C that streams.
add_test(NAME conformance/python_host_and_worker_agree
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/conformance/agree.py
                 $<$<TARGET_EXISTS:streaming>:${CMAKE_BINARY_DIR}/bin/streaming>)
set_tests_properties(conformance/python_host_and_worker_agree PROPERTIES
                     LABELS conformance TIMEOUT 120)

# What PROTOCOL.md says that a host does, asked of ours by a worker in Python; and the other way
# round.
isw_python_tests(conformance our_host)
isw_python_tests(conformance our_worker)
