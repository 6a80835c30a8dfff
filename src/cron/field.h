/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CRON_FIELD_H
#define ISWI_CRON_FIELD_H

/* One field of an expression. Pure; any thread. */
#include <isoworker/status.h>
#include <isoworker/value.h>

typedef struct iswi_cron_kind {
    const char *name; /* "minute" */
    unsigned least, most;
    unsigned last;            /* where `*` and `a/n` end: weekdays may be 7, which is the first */
    const char *const *words; /* names, in full, of `least` and what follows; NULL: it has none */
} iswi_cron_kind;

/* In the order of six fields. */
enum { ISWI_CRON_FIELDS = 6 };
extern const iswi_cron_kind iswi_cron_kinds[ISWI_CRON_FIELDS];

/* Add what `text` names to *set; `column` is that of its first character. ISW_E_CONFIG. */
isw_status iswi_cron_field_read(const iswi_cron_kind *kind, isw_str text, size_t column,
                                uint64_t *set, isw_error *error);

#endif
