/* SPDX-License-Identifier: Apache-2.0 */
/* For each line "ZONE<tab>EXPRESSION<tab>AFTER<tab>UNTIL<tab>MOST" the instants that are due, on
 * one line; "error: SENTENCE" for one that is refused, and "never" behind the last of them. */
#include "cron/next.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static iswi_zone *zone;

static bool ready(const char *name, const char *expression, iswi_cron *cron)
{
    isw_error error = { ISW_OK, "" };

    if (!zone || strcmp(iswi_zone_name(zone), name) != 0) {
        iswi_zone_close(zone);
        zone = NULL;
        iswi_zone_open(name, &zone, &error);
    }
    if (error.status == ISW_OK)
        iswi_cron_read(expression, cron, &error);
    if (error.status != ISW_OK)
        printf("error: %s\n", error.message);
    return error.status == ISW_OK;
}

static void tell(const iswi_cron *cron, int64_t at, int64_t until, long most)
{
    while (most-- > 0 && (at = iswi_cron_next(cron, zone, at)) <= until)
        printf(at == ISWI_CRON_NEVER ? "never " : "%" PRId64 " ", at);
    puts("");
}

int main(void)
{
    char line[1024];
    iswi_cron cron;

    while (fgets(line, sizeof line, stdin)) {
        char *rest = line;
        const char *name = strsep(&rest, "\t");
        const char *expression = strsep(&rest, "\t");
        const char *after = strsep(&rest, "\t");
        const char *until = strsep(&rest, "\t");

        if (!rest)
            return 64;
        if (ready(name, expression, &cron))
            tell(&cron, atoll(after), atoll(until), atol(rest));
    }
    iswi_zone_close(zone);
    return 0;
}
