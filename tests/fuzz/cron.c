/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight bytes of an instant, one that chooses a zone, then any expression; or "Z" and any file of a
 * zone. What is read is due at times that go on, each behind the one before, and the search for one
 * ends (the fuzzer's own limit of time says so where it does not).
 */
#include "cron/next.h"
#include "cron/tzif.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20, HEAD_BYTES = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const zones[] = { "UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia",
                                     "Africa/Cairo", "Asia/Beirut", "America/New_York",
                                     "Africa/Casablanca" };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void search(const iswi_cron *cron, const char *name, int64_t after_s)
{
    iswi_zone *zone;
    iswi_zone_span span;

    if (iswi_zone_open(name, &zone, NULL) != ISW_OK)
        return; /* a machine without tzdata */
    for (int i = 0; i < ROUNDS; i++) {
        int64_t next_s = iswi_cron_next(cron, zone, after_s);

        must(next_s > after_s || next_s == ISWI_CRON_NEVER);
        if (next_s == ISWI_CRON_NEVER)
            break;
        iswi_zone_span_of(zone, next_s, &span);
        must(span.from_s <= next_s && next_s < span.until_s);
        must(i == 0 || iswi_cron_next(cron, zone, next_s - 1) == next_s);
        after_s = next_s;
    }
    iswi_zone_close(zone);
}

static void read_zone(const uint8_t *data, size_t size)
{
    iswi_tzif file;

    if (iswi_tzif_read(data, size, &file))
        return;
    for (size_t i = 1; i < file.count; i++)
        must(file.at_s[i - 1] < file.at_s[i]);
    iswi_tzif_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    isw_error error = { ISW_OK, "" };
    char text[256];
    iswi_cron cron;
    int64_t after_s;

    if (size && data[0] == 'Z')
        read_zone(data + 1, size - 1);
    if (size < HEAD_BYTES || size - HEAD_BYTES >= sizeof text)
        return 0;
    memcpy(&after_s, data, sizeof after_s);
    memcpy(text, data + HEAD_BYTES, size - HEAD_BYTES);
    text[size - HEAD_BYTES] = '\0';
    if (iswi_cron_read(text, &cron, &error) == ISW_OK)
        search(&cron, zones[data[8] % (sizeof zones / sizeof zones[0])], after_s);
    else
        must(error.status == ISW_E_CONFIG && error.message[0]);
    return 0;
}
