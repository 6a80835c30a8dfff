/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_HTTP_H
#define ISOWORKER_HTTP_H

/*
 * Request and reply of a function that HTTP triggers. All of it is a face on the context's trigger
 * data and result (context.h): same thread, same lifetime, nothing blocks.
 */
#include <isoworker/context.h>
#include <isoworker/value.h>
#include <isoworker/export.h>
#include <isoworker/status.h>

ISW_BEGIN_DECLS

/* The request, or NULL when the trigger is not HTTP. */
ISW_API const isw_http *isw_http_request(const isw_context *ctx);

/* A route parameter, query parameter (the first of that name) or header (letter case ignored) as
 * NUL-terminated text, or NULL when the request has none or memory is out. */
ISW_API const char *isw_http_param(isw_context *ctx, const char *name);
ISW_API const char *isw_http_query(isw_context *ctx, const char *name);
ISW_API const char *isw_http_header(isw_context *ctx, const char *name);

/* The request's body; empty when there is none. */
ISW_API isw_bytes isw_http_body(const isw_context *ctx);

/* Answer with formatted text, replacing any earlier reply but keeping headers set so far.
 * `status` is 100 to 599, `content_type` may be NULL for none.
 * Errors: ISW_E_INVALID if the status is out of range, ISW_E_NO_MEMORY; both recorded on ctx. */
ISW_API isw_status isw_http_reply(isw_context *ctx, int status, const char *content_type,
                                  const char *format, ...) ISW_PRINTF(4, 5);

/* The same with bytes, which are not copied and must live until the invocation ends. */
ISW_API isw_status isw_http_reply_bytes(isw_context *ctx, int status, const char *content_type,
                                        const void *body, size_t size);

/* Answer with application/problem+json (RFC 9457): type "about:blank", `title` (NULL for the
 * status's own phrase), status, `detail` (NULL to leave it out), the invocation's id as
 * "invocation_id" and as "instance". Errors as
 * isw_http_reply. */
ISW_API isw_status isw_http_reply_problem(isw_context *ctx, int status, const char *title,
                                          const char *detail);

/* Answer with the invocation's failure, which it has, as application/problem+json under the status
 * that it stands for. Members beside those of RFC 9457 (section 3.2): "error", the status's name,
 * "error_type", and "retriable"; with `details` also "detail", "place" and "causes", a list of
 * objects with "error", "type", "message" and "place". Errors as isw_http_reply. */
ISW_API isw_status isw_http_reply_failure(isw_context *ctx, bool details);

/* Add a header to the reply, before or after it is made. Both texts are copied.
 * Errors: ISW_E_INVALID if the name is not a token or the value has CR, LF or NUL (RFC 9110,
 * section 5), ISW_E_NO_MEMORY; both recorded on ctx. */
ISW_API isw_status isw_http_set_header(isw_context *ctx, const char *name, const char *value);

/* The reply so far, or NULL. */
ISW_API const isw_http *isw_http_response(const isw_context *ctx);

ISW_END_DECLS

#endif
