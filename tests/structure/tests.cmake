# SPDX-License-Identifier: Apache-2.0
# The pages and folders that say what the house is, held to what it is.
isw_python_tests(structure house)
