/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker explain`. */
#include "cli/cli.h"
#include "cli/helper.h"
#include "host/triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker explain [NAME | ./FILE.so]\n"
    "       isoworker explain host.yaml | worker.yaml\n"
    "\n"
    "Prints what a middleware does and its options for worker.yaml; without a name, all that come\n"
    "with isoworker. Of host.yaml and worker.yaml it prints all that may stand there.\n";

int iswi_cli_generic(char **argv)
{
    return iswi_cli_become("isoworker-worker", argv);
}

int iswi_cli_host_reference(void)
{
    iswi_settings_groups groups = iswi_triggers_groups(iswi_host_triggers);
    iswi_buffer reference = { 0 };

    iswi_host_settings_reference(&groups, &reference);
    if (iswi_buffer_text(&reference))
        fputs(iswi_buffer_text(&reference), stdout);
    iswi_buffer_fini(&reference);
    return EX_OK;
}

int iswi_cli_explain(int argc, char **argv)
{
    char *words[] = { NULL, argv[0], argc > 1 ? argv[1] : NULL, NULL };

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EX_OK;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "host.yaml") == 0)
        return iswi_cli_host_reference();
    if (argc == 2 && strcmp(argv[1], "worker.yaml") == 0) {
        words[1] = (char *)"plain";
        words[2] = (char *)"--describe";
    }
    return iswi_cli_generic(words);
}
