/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/registry/store.h"

#include "store/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The memory file that the host has handed down; -1: none. */
static int take_file(void)
{
    const char *text = getenv("ISOWORKER_STORE_FD");
    char *end;
    long fd = text && *text ? strtol(text, &end, 10) : -1;
    struct stat info;

    if (fd < 0 || fd > 65535 || *end || fstat((int)fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    unsetenv("ISOWORKER_STORE_FD");
    return (int)fd;
}

isw_status iswi_stores_begin(iswi_store_place *stores, isw_error *error)
{
    iswi_memory *memory;

    if (stores->driver)
        return ISW_OK;
    memory = iswi_memory_create(take_file());
    if (!memory)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for stores");
    *stores = (iswi_store_place){ &iswi_store_memory, memory };
    return ISW_OK;
}

void iswi_stores_end(iswi_store_place *stores)
{
    iswi_memory_destroy(stores->place);
    *stores = (iswi_store_place){ NULL, NULL };
}
