/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_RECORD_TEXT_H
#define ISWI_HOST_DEBUG_RECORD_TEXT_H

/* What is in a file of record.h. */
#include "host/debug/redact.h"
#include "host/engine/call.h"

/* Append it to `out`. False when memory is out. */
bool iswi_record_text(const iswi_secrets *secrets, size_t body_limit, const iswi_call *call,
                      const iswi_answer *answer, iswi_buffer *out);

/* "2026-11-23T10:15:00.123456Z", or for names "20261123T101500.123". */
void iswi_record_time(int64_t wall_us, bool name, char *out, size_t size);

#endif
