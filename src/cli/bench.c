/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker bench`: another program (src/bench), which measures this one, too. */
#include "cli/cli.h"
#include "cli/helper.h"

int iswi_cli_bench(int argc, char **argv)
{
    (void)argc;
    return iswi_cli_become("isoworker-bench", argv);
}
