/* SPDX-License-Identifier: Apache-2.0 */
/* Where the command is that belongs to us. Invariant: the tree works after a move, so that all is
 * found from where the code that runs lies. */
#include "host/system/command.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The program that runs. */
static bool find_own(char path[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);

    path[size > 0 ? size : 0] = '\0';
    return size > 0;
}

static bool is_there(char path[PATH_MAX], const char *beside, const char *folder, const char *name)
{
    const char *slash = strrchr(beside, '/');
    int size = slash ? (int)(slash + 1 - beside) : 0;
    int written = snprintf(path, PATH_MAX, "%.*s%s%s", size, beside, folder, name);

    return slash && written > 0 && written < PATH_MAX && access(path, X_OK) == 0;
}

bool iswi_command_beside_library(const char *name, char path[PATH_MAX])
{
    char own[PATH_MAX];
    Dl_info here;

    if (find_own(own) && is_there(path, own, "", name))
        return true;
    /* Of a program that has this code in itself it is the name that it was started by. */
    if (!dladdr(iswi_command_beside_library, &here) || !here.dli_fname)
        return false;
    return is_there(path, here.dli_fname, ISWI_BIN_FROM_LIB "/", name) ||
           is_there(path, here.dli_fname, "../bin/", name);
}
