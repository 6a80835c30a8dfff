/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_METRICS_TABLE_H
#define ISWI_HOST_OPERATE_METRICS_TABLE_H

/* Families and series of the table: found, or made where its worker has room. With the table's
 * lock. Inside metrics.c. */
#include "host/operate/metrics.h"

/* What is being taken. */
typedef struct iswi_metrics_taking {
    iswi_metrics_table *table;
    iswi_metrics_share *share;
    const void *process;
    iswi_buffer labels; /* of the series at hand */
} iswi_metrics_taking;

bool iswi_metrics_has_room(const iswi_metrics_taking *t, size_t bytes);

/* The family that is told of. NULL, with a note: it is not taken. */
iswi_metrics_family *iswi_metrics_family_of(iswi_metrics_taking *t, const iswi_wire_family *told);
void iswi_metrics_free_family(iswi_metrics_family *family);

/* And one of its series. NULL: there is no room. */
iswi_metrics_series *iswi_metrics_series_of(iswi_metrics_taking *t, iswi_metrics_family *family,
                                            const iswi_wire_family *told,
                                            const iswi_wire_series *series);

#endif
