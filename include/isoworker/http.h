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

/* -- The request ------------------------------------------------------------------------------- */

/* The request with its method, url and all its pairs, or NULL when the trigger is not HTTP. Of a
 * name that comes more than once isw_pairs_next (value.h) gives every value. */
ISW_API const isw_http *isw_http_request(const isw_context *ctx);

/* A route parameter, query parameter (the first of that name) or header (the first; letter case
 * ignored) as NUL-terminated text, or NULL when the request has none, `name` is NULL or memory is
 * out. */
ISW_API const char *isw_http_param(isw_context *ctx, const char *name);
ISW_API const char *isw_http_query(isw_context *ctx, const char *name);
ISW_API const char *isw_http_header(isw_context *ctx, const char *name);

/* The value of the first cookie of that name (letter case counts) as NUL-terminated text, or NULL.
 * Read as RFC 6265, section 5.4, has clients write it, and leniently: space around names and values
 * and a pair of quotes around a value are dropped, parts without '=' are passed over, and a value
 * is otherwise what the client sent, unchecked. */
ISW_API const char *isw_http_cookie(isw_context *ctx, const char *name);

/* The request's body; empty when there is none. */
ISW_API isw_bytes isw_http_body(const isw_context *ctx);

/* Whether the request's content type is `type`, such as "application/json", whatever its
 * parameters; letter case ignored. */
ISW_API bool isw_http_content_type_is(const isw_context *ctx, const char *type);

/* "https" if the request came over TLS, to the host or to a proxy that it trusts; else "http". */
ISW_API const char *isw_http_scheme(const isw_context *ctx);

/* The certificate by which the client proved who it is when the connection began, which the host
 * has checked: somebody of its http.tls.client_ca vouches for it. No header can say so. */
typedef struct isw_client_certificate {
    isw_str subject;      /* "CN=Ada,O=Example" (RFC 4514); empty where only names tell */
    isw_str issuer;       /* who vouches, likewise */
    const isw_str *names; /* "DNS:a.example", "URI:spiffe://a/b", "email:a@b.example", "IP:::1" */
    size_t name_count;
    isw_str sha256;    /* of the certificate, 64 hexadecimal digits */
    int64_t expires_s; /* since 1970-01-01 UTC */
} isw_client_certificate;

/* NULL when the client showed none, which is always so without TLS, or memory is out. */
ISW_API const isw_client_certificate *isw_http_client_certificate(isw_context *ctx);

/* -- The reply --------------------------------------------------------------------------------- */

/* What is wrong with a reply is the function's fault and never its caller's: the functions below
 * return what is said of them, ISW_E_INVALID for instance, and record a failure with ISW_E_FAILED,
 * so that the caller gets 500 and the log names the function and the fault. NULL is such a fault
 * (ISW_E_INVALID) wherever nothing is said of it: for a header's name or value, a cookie or its
 * value, a format, a location, a path, a value, and for bytes whose size is not 0. A function that
 * knows better, since it passed on what the caller sent, says so with isw_fail: that takes its
 * place. */

/* Answer with formatted text, replacing any earlier reply but keeping headers set so far.
 * `status` is 200 to 599, `content_type` may be NULL for none.
 * Errors: ISW_E_INVALID if the status is out of range, ISW_E_NO_MEMORY, ISW_E_CONFLICT after the
 * answer; all recorded on ctx. */
ISW_API isw_status isw_http_reply(isw_context *ctx, int status, const char *content_type,
                                  const char *format, ...) ISW_PRINTF(4, 5);

/* The same with bytes, which are not copied and must live until the invocation ends. */
ISW_API isw_status isw_http_reply_bytes(isw_context *ctx, int status, const char *content_type,
                                        const void *body, size_t size);

/* The same with `value` as application/json. Errors also those of isw_json_write (convert.h). */
ISW_API isw_status isw_http_reply_json(isw_context *ctx, int status, const isw_value *value);

/* Send the caller elsewhere. `status` is 301, 302, 303, 307 or 308 (RFC 9110, section 15.4),
 * `location` a URI or a reference relative to the request's own (RFC 3986), percent-encoded where
 * need be. Whether it may be trusted is not looked at: do not pass on what a caller sent.
 * Errors as isw_http_reply, and ISW_E_INVALID for another status or what is no URI reference. */
ISW_API isw_status isw_http_redirect(isw_context *ctx, int status, const char *location);

/* Answer with application/problem+json (RFC 9457): type "about:blank", `title` (NULL for the
 * status's own phrase), status, `detail` (NULL to leave it out), the invocation's id as
 * "invocation_id" and as "instance". Errors as isw_http_reply. */
ISW_API isw_status isw_http_reply_problem(isw_context *ctx, int status, const char *title,
                                          const char *detail);

/* Answer with the invocation's failure, which it has, as application/problem+json under the status
 * that it stands for. Members beside those of RFC 9457 (section 3.2): "error", the status's name,
 * "error_type", and "retriable"; with `details` also "detail", "place" and "causes", a list of
 * objects with "error", "type", "message" and "place". Errors as isw_http_reply, and
 * ISW_E_CONFLICT, with 500, for an invocation that has no failure. */
ISW_API isw_status isw_http_reply_failure(isw_context *ctx, bool details);

/* Give the reply a header, before or after it is made: `set` takes the place of all of that name,
 * `add` leaves them and comes after. Set-Cookie is always added, for each cookie is a header of its
 * own (RFC 6265, section 3). Both texts are copied; a value of nothing is sent as one. Headers stay
 * with whatever answer is made in the end, also with nothing, with a value that is no reply, and
 * with the host's answer to a failure, but for those that speak of a body. What belongs to the
 * connection (Connection, Transfer-Encoding and the like) the host drops, and Content-Length counts
 * only for what is not sent here: HEAD, 304, and a body that begins with isw_http_begin.
 * Errors: ISW_E_INVALID if the name is not a token or the value has control characters or is not
 * UTF-8 (RFC 9110, section 5), ISW_E_NO_MEMORY, ISW_E_CONFLICT after the answer; all recorded on
 * ctx. */
ISW_API isw_status isw_http_set_header(isw_context *ctx, const char *name, const char *value);
ISW_API isw_status isw_http_add_header(isw_context *ctx, const char *name, const char *value);

/* Take all headers of that name back; there may be none.
 * Errors: ISW_E_CONFLICT after the answer, recorded on ctx. */
ISW_API isw_status isw_http_remove_header(isw_context *ctx, const char *name);

typedef enum isw_same_site {
    ISW_SAME_SITE_UNSAID = 0, /* the client's default */
    ISW_SAME_SITE_LAX,
    ISW_SAME_SITE_STRICT,
    ISW_SAME_SITE_NONE /* needs `secure` */
} isw_same_site;

/* A cookie to be kept by the client. Zero it first: all but name and value may stay so. */
typedef struct isw_cookie {
    const char *name;
    const char *value;   /* visible ASCII but no quote, comma, semicolon or backslash */
    const char *path;    /* begins with '/'; NULL: the folder of the request's URL */
    const char *domain;  /* hosts below it get the cookie, too; NULL: this host alone */
    int64_t max_age_s;   /* seconds to keep it; below 0: forget it now; 0: not said */
    int64_t expires_s;   /* since 1970-01-01 UTC, the same for old clients; 0: not said */
    isw_same_site same_site;
    bool secure;    /* over https only */
    bool http_only; /* hidden from scripts */
} isw_cookie;

/* Add a Set-Cookie header (RFC 6265, section 4.1) to the reply. What clients would refuse or cut is
 * refused here: also SameSite=None without `secure`, names that begin with "__Secure-" or "__Host-"
 * without what these promise, and sizes beyond 4096 bytes (RFC 6265bis, 4.1.3 and 5.6).
 * Errors, recorded on ctx: ISW_E_INVALID, which names the fault, ISW_E_NO_MEMORY, ISW_E_CONFLICT
 * after the answer. */
ISW_API isw_status isw_http_set_cookie(isw_context *ctx, const isw_cookie *cookie);

/* For middleware that looks at the answer when the rest of the chain has succeeded: make a result
 * that is none yet the reply that a host would make of it, with the headers that are set; so text
 * is text/plain, and headers of a reply that was made by hand join the others. A reply, a response
 * that has begun and the answer of a function that gave nothing and set no header stay as they are.
 * Errors as isw_http_reply, ISW_E_INVALID for a result that is no answer to an HTTP request. */
ISW_API isw_status isw_http_reply_result(isw_context *ctx);

/* For middleware that makes the body of an answer smaller when the rest of the chain has returned,
 * before it runs that: the answer's size (ISW_ANSWER_MAX_BYTES of context.h) is then looked at when
 * the whole chain has returned, and not before. */
ISW_API void isw_http_reply_shrinks(isw_context *ctx);

/* The reply as it is, with status, headers and body, in one block that outlives the invocation: for
 * middleware that gives it again. *size (may be NULL) are its bytes; the block is the caller's to
 * give to isw_free. NULL when there is no reply, when its body has begun to leave, or memory is
 * out. */
typedef struct isw_saved_reply isw_saved_reply;
ISW_API isw_saved_reply *isw_http_save_reply(const isw_context *ctx, size_t *size);

/* The same of what came of the rest of the chain since `mark` (isw_context_mark of context.h) was
 * made before it: without the headers that were set then, for whoever stands outside sets his own
 * for each request. The chain has succeeded: a result that is no reply is kept as the reply that a
 * host makes of it. */
ISW_API isw_saved_reply *isw_http_save_reply_since(const isw_context *ctx, const isw_mark *mark,
                                                   size_t *size);

/* Answer with a copy of it; its headers are added to those that are set, or take the place of those
 * that were replaced since the mark. Errors as isw_http_reply. */
ISW_API isw_status isw_http_reply_saved(isw_context *ctx, const isw_saved_reply *saved);

/* The same by way of bytes, which other processes and machines can read (sys/store.h). Packing writes
 * them to `out` if `room` is enough for it, and returns how many there are in any case. Errors of
 * the other as above, and ISW_E_INVALID for bytes that are no reply. */
ISW_API size_t isw_http_pack_saved(const isw_saved_reply *saved, void *out, size_t room);
ISW_API isw_status isw_http_reply_packed(isw_context *ctx, isw_bytes packed);

/* -- Files ------------------------------------------------------------------------------------- */

/* Start from ISW_FILE_OPTIONS_INIT. */
typedef struct isw_file_options {
    size_t size;               /* sizeof(isw_file_options) */
    const char *root;          /* the folder that the path is below and may not leave; NULL: none */
    const char *content_type;  /* NULL: by the end of the file's name */
    const char *download_name; /* UTF-8: save under this name instead of showing it; NULL: show */
} isw_file_options;
#define ISW_FILE_OPTIONS_INIT                                                 \
    {                                                                         \
        sizeof(isw_file_options), NULL, NULL, NULL                            \
    }

/* Answer with a file, as RFC 9110 has it: 200 with all of it or 206 with the one range that a GET
 * asks for (several ranges: all of it), 304 or 412 by the conditions of a GET or HEAD (section 13),
 * 416 for a range beyond its end. The reply has Last-Modified, an ETag of size, time and inode, and
 * Accept-Ranges. HEAD is answered like GET, for the host leaves the body out and keeps its length.
 * `options` may be NULL. A `path` that callers can choose needs `root`: absolute paths and what
 * leaves the folder by ".." or a symbolic link are then not found. Blocks while the file is read.
 * More than 32 MiB leave as by isw_http_begin and isw_http_write (stream.h), at the caller's pace,
 * and this returns when they are sent.
 * Errors, recorded on ctx: ISW_E_NOT_FOUND if there is no such file or it is a folder or device,
 * ISW_E_FORBIDDEN if it may not be read, ISW_E_UNAVAILABLE if it changes meanwhile or descriptors
 * are out, ISW_E_INVALID for wrong options, ISW_E_IO, and those of isw_http_reply and
 * isw_http_write. */
ISW_API isw_status isw_http_reply_file(isw_context *ctx, const char *path,
                                       const isw_file_options *options);

/* The reply so far, or NULL. */
ISW_API const isw_http *isw_http_response(const isw_context *ctx);

ISW_END_DECLS

#endif
