/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_COMMAND_H
#define ISWI_HOST_SYSTEM_COMMAND_H

#include <limits.h>
#include <stdbool.h>

/* Where `name`, a program of this installation, lies for a host in any program: in the `bin` that
 * belongs to the library with this code; where that is part of the program itself, beside the
 * program. False: it is not there. Any thread. */
bool iswi_command_beside_library(const char *name, char path[PATH_MAX]);

#endif
