/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_CGROUP_FILE_H
#define ISWI_HOST_SYSTEM_CGROUP_FILE_H

/* The files by which groups of cgroup v2 are told and asked. Inside cgroup.c and cgroups.c. */
#include "host/system/cgroup.h"

#include <stdbool.h>
#include <stddef.h>

/* FOLDER/NAME. False with errno where that is too long. */
bool iswi_cgroup_path(const char *folder, const char *name, char path[ISWI_CGROUP_BYTES]);

/* Write `text` to a file that is there, in one go, as the kernel wants it. False with errno. */
bool iswi_cgroup_write(const char *folder, const char *file, const char *text);

/* Read what fits, and end it with a zero. False with errno. */
bool iswi_cgroup_read(const char *folder, const char *file, char *text, size_t size);

#endif
