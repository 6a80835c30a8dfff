/* SPDX-License-Identifier: Apache-2.0 */
/* Where the command's own programs are. Invariant: the tree works after a move, so that all is
 * found from where the program that runs lies. */
#include "cli/helper.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* `name` beside the program that runs, or in `folder` seen from there. */
static bool find(const char *name, const char *folder, char path[PATH_MAX])
{
    const char *const folders[] = { "", folder };
    char own[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    const char *slash;

    own[size > 0 ? size : 0] = '\0';
    slash = strrchr(own, '/');
    for (size_t i = 0; slash && i < sizeof folders / sizeof folders[0]; i++) {
        int written = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(slash + 1 - own), own, folders[i],
                               name);

        if (written > 0 && written < PATH_MAX && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

bool iswi_cli_find_helper(const char *name, char path[PATH_MAX])
{
    return find(name, ISWI_HELPERS_FROM_BIN "/", path);
}

bool iswi_cli_find_command(char path[PATH_MAX])
{
    return find("isoworker", ISWI_BIN_FROM_HELPERS "/", path);
}

int iswi_cli_become(const char *name, char **argv)
{
    char path[PATH_MAX];

    if (!iswi_cli_find_helper(name, path)) {
        fprintf(stderr, "isoworker: %s is missing, which is installed with isoworker\n", name);
        return EX_UNAVAILABLE;
    }
    argv[0] = path;
    execv(path, argv);
    perror(path);
    return EX_OSERR;
}
