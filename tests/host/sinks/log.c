/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `log` as every sink. */
#include "host/sink_conformance.h"

#include "host/sinks/sinks.h"

#include <string.h>

static char *read_log(const char *folder, const char *log)
{
    (void)folder;
    return strdup(log);
}

const conforming_sink subject = { .sink = &iswi_sink_log, .read = read_log };

static const struct CMUnitTest tests[] = {
    SINK_CONFORMANCE,
};

ISW_TEST_MAIN(tests)
