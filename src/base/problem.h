/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_PROBLEM_H
#define ISWI_BASE_PROBLEM_H

/*
 * The one shape of what went wrong, as application/problem+json (RFC 9457), whoever says it: host,
 * worker or middleware. Members in this order, those in brackets where there is something to say:
 *
 *     type           "about:blank": the status says it all
 *     title          the status's phrase (RFC 9110, section 15), unless the function has its own
 *     status
 *     [detail]       a sentence for the caller
 *     [error, error_type, retriable, place, causes]  of a failure
 *     [instance, invocation_id]  of an invocation
 *
 * Written piece by piece: begin, members, end. What memory cannot be had for shows in the buffer.
 * Pure; any thread.
 */
#include "base/buffer.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

#define ISWI_PROBLEM_TYPE "application/problem+json"

/* The registered phrase of a status, or what its class says. */
const char *iswi_http_reason(int status);

/* Whether a header speaks of the body that a problem takes the place of, or of what that stands for
 * (RFC 9110, section 8): it is no header of the problem. `name` in lower case. */
bool iswi_field_of_body(isw_str name);

/* `title` NULL for the status's phrase, `detail` NULL for none. */
void iswi_problem_begin(iswi_buffer *out, int status, const char *title, const char *detail);

/* A member of text; nothing where that is NULL or empty. */
void iswi_problem_text(iswi_buffer *out, const char *name, const char *text);

/* What failed; `type` may be NULL. */
void iswi_problem_failure(iswi_buffer *out, isw_status error, const char *type, bool retriable);

/* `invocation_id` may be NULL. */
void iswi_problem_end(iswi_buffer *out, const char *invocation_id);

#endif
