/* SPDX-License-Identifier: Apache-2.0 */
/* isoworker-worker: the part of the command that links the SDK, as any worker does. Not for people:
 * `isoworker explain` and the like start it. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/middleware.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int explain(const char *name)
{
    isw_error error = { ISW_OK, "" };
    char *text;

    if (isw_middleware_explain(name, &text, &error) != ISW_OK) {
        fprintf(stderr, "isoworker: %s\n", error.message);
        return error.status == ISW_E_NOT_FOUND ? EX_USAGE : EX_CONFIG;
    }
    fputs(text, stdout);
    isw_free(text);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "explain") == 0)
        return explain(argc > 2 ? argv[2] : NULL);
    fprintf(stderr, "isoworker-worker is started by `isoworker`\n");
    return EX_USAGE;
}
