/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any lines "name: value" as headers of a request from a trusted proxy; the first byte says which
 * kind the proxies write. What is read is text of the forms that are promised. And whatever a
 * client wrote, what a proxy adds behind it counts: each value becomes a list that ends with an
 * address, which must then be the client.
 */
#include "url/authority.h"
#include "url/forwarded.h"

#include <stdlib.h>

enum { LINES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const isw_pairs *headers, iswi_forwarded_by by, const iswi_networks *trusted)
{
    const char *why = "none";
    iswi_forwarded out;
    iswi_forwarded_result result = iswi_forwarded_read(headers, by, trusted, &out, &why);

    must((result == ISWI_FORWARDED_BAD) == (why != NULL && why[0]));
    must(memchr(out.client, '\0', sizeof out.client) && memchr(out.host, '\0', sizeof out.host));
    for (const char *c = out.client; *c; c++)
        must(*c > ' ' && *c <= 'z');
    must(!out.host[0] || iswi_authority_valid(isw_str_of(out.host)));
    must(!out.scheme || !strcmp(out.scheme, "http") || !strcmp(out.scheme, "https"));
    must(result == ISWI_FORWARDED_READ || (!out.client[0] && !out.host[0] && !out.scheme));
}

static void add_behind(isw_str name, isw_str value, const char *more, iswi_forwarded_by by,
                       const iswi_networks *trusted)
{
    char *text = malloc(value.size + strlen(more) + 1);
    const char *why;
    iswi_forwarded out;
    isw_pair one;

    if (!text)
        return;
    memcpy(text, value.data, value.size);
    strcpy(text + value.size, more);
    one = (isw_pair){ name, isw_str_of(text) };
    one.value.size = value.size + strlen(more);
    must(iswi_forwarded_read(&(isw_pairs){ &one, 1 }, by, trusted, &out, &why) ==
         ISWI_FORWARDED_READ);
    must(strcmp(out.client, "192.0.2.1") == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = { "10.0.0.0/8", "unix" };
    const char *at = (const char *)data + 1;
    const char *end = (const char *)data + size;
    isw_pair items[LINES_MAX];
    isw_pairs headers = { items, 0 };
    iswi_networks trusted;
    size_t bad;

    if (size < 1 || iswi_networks_read(texts, 2, &trusted, &bad, NULL) != ISW_OK)
        return 0;
    while (at < end && headers.count < LINES_MAX) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *colon = memchr(at, ':', (size_t)((stop ? stop : end) - at));

        stop = stop ? stop : end;
        colon = colon ? colon : stop;
        items[headers.count] = (isw_pair){ { at, (size_t)(colon - at) },
                                           { colon, (size_t)(stop - colon) } };
        if (colon < stop) {
            items[headers.count].value.data++;
            items[headers.count].value.size--;
        }
        headers.count++;
        at = stop < end ? stop + 1 : end;
    }
    check(&headers, (iswi_forwarded_by)(data[0] % 3), &trusted);
    for (size_t i = 0; i < headers.count; i++) {
        add_behind(isw_str_of("forwarded"), items[i].value, ",for=192.0.2.1, for=10.1.1.1",
                   ISWI_FORWARDED_STANDARD, &trusted);
        add_behind(isw_str_of("x-forwarded-for"), items[i].value, ", 192.0.2.1,10.1.1.1",
                   ISWI_FORWARDED_X, &trusted);
    }
    iswi_networks_fini(&trusted);
    return 0;
}
