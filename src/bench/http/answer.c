/* SPDX-License-Identifier: Apache-2.0 */
/* Heads, by the line. Invariant: nothing is read behind the NUL that ends what has come. */
#include "bench/http/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What follows `name` in the head at `in`; NULL when no line begins with it. */
static const char *field(const char *in, const char *name)
{
    size_t size = strlen(name);

    while ((in = strchr(in, '\n')) && *++in != '\r' && *in)
        if ((*in | 32) == *name && strncasecmp(in, name, size) == 0)
            return in + size;
    return NULL;
}

size_t iswi_bench_head_number(const char *in, const char *name, size_t fallback)
{
    const char *found = field(in, name);

    return found ? strtoul(found, NULL, 10) : fallback;
}

bool iswi_bench_answer_read(iswi_bench_answer *answer, const char *in, size_t have)
{
    const char *end = strstr(in, "\r\n\r\n");
    const char *connection;

    if (!end)
        return have < ISWI_BENCH_ANSWER_BYTES;
    if (strncmp(in, "HTTP/1.", 7) != 0 || strlen(in) < 12)
        return false;
    answer->status = atoi(in + 9);
    answer->body = iswi_bench_head_number(in, "content-length: ", (size_t)-1);
    connection = field(in, "connection: ");
    answer->closes = connection && strncasecmp(connection, "close", 5) == 0;
    answer->head = (size_t)(end + 4 - in);
    return answer->body <= (size_t)1 << 30;
}
