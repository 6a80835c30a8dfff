/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_OUTBOX_H
#define ISWI_HOST_AZURE_OUTBOX_H

/* What a call has put out, between sink.c, which keeps it, and outputs.c, which tells it. */
#include "host/azure/internal.h"

typedef struct iswi_azure_item {
    const char *name; /* of the output; lives as long as the host */
    isw_value value;  /* in the arena */
} iswi_azure_item;

typedef struct iswi_azure_outbox {
    iswi_outbox box; /* first */
    struct iswi_azure_outbox *next; /* of another call of the same invocation */
    iswi_azure *azure;
    char key[ISWI_AZURE_KEY_BYTES]; /* of the call */
    iswi_arena arena;
    iswi_azure_item *items;
    size_t count, capacity;
} iswi_azure_outbox;

#endif
