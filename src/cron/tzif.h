/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_TZIF_H
#define ISWI_CRON_TZIF_H

/* The files of tzdata: TZif, RFC 9636. Pure; any thread. */
#include "cron/footer.h"

typedef struct iswi_tzif {
    size_t count;       /* of changes, in order */
    int64_t *at_s;      /* when each is */
    int32_t *offsets_s; /* one more: before the first of them, then from each on */
    bool has_footer;    /* behind the last */
    iswi_footer footer;
} iswi_tzif;

/* NULL and *out, which is to be freed with iswi_tzif_fini; or what is wrong, in a few words. */
const char *iswi_tzif_read(const unsigned char *bytes, size_t size, iswi_tzif *out);
void iswi_tzif_fini(iswi_tzif *file);

#endif
