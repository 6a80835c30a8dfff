/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress: gzip for answers whose callers take it, and for requests that come so (RFC 9110, 8.4
 * and 12.5.3; RFC 1952). Answers of the named types from `min_size` on are made smaller, unless
 * they are encoded already, are a part (206) or stream; their ETag becomes a weak one. Bodies of
 * requests with Content-Encoding gzip or deflate are plain for what is inside; put it outside what
 * reads them. One that would grow beyond `max_inflated` or `max_ratio` is refused with 413; another
 * encoding, and one of a body that streams, with 415 and what is taken (RFC 7694).
 */
#include "compress_inflate.h"

#include <isoworker/http.h>
#include <isoworker/stream.h>
#include <isoworker/sys/middleware.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { GZIP = 15 + 16, RATIO_FROM_BYTES = 65536 };

typedef struct options {
    isw_option_strings types;
    int64_t min_size;
    int64_t level;
    int64_t max_inflated;
    int64_t max_ratio;
} options;

static const isw_option rows[] = {
    { .name = "types", .type = ISW_OPTION_STRINGS,
      .default_value = "[text/, application/json, application/problem+json, application/xml, "
                       "application/javascript, image/svg+xml]",
      .offset = offsetof(options, types), .help = "of answers; one that ends in / is all of it" },
    { .name = "min_size", .type = ISW_OPTION_SIZE, .default_value = "1KiB",
      .offset = offsetof(options, min_size), .help = "of answers; smaller ones are left" },
    { .name = "level", .type = ISW_OPTION_INT, .default_value = "6", .min = 1, .max = 9,
      .offset = offsetof(options, level), .help = "from fast to small" },
    { .name = "max_inflated", .type = ISW_OPTION_SIZE, .default_value = "16MiB", .min = 1,
      .offset = offsetof(options, max_inflated), .help = "of a request's body when it is plain" },
    { .name = "max_ratio", .type = ISW_OPTION_INT, .default_value = "200", .min = 1,
      .max = 1000000, .offset = offsetof(options, max_ratio),
      .help = "of that to what came, beyond 64KiB" },
    { 0 },
};

/* -- Requests ---------------------------------------------------------------------------------- */

static const isw_item_key plain_key = { .name = "plain body", .destroy = isw_free };

static size_t limit_of(const options *opt, size_t size)
{
    uint64_t by_ratio = size * (uint64_t)opt->max_ratio;

    by_ratio = by_ratio < RATIO_FROM_BYTES ? RATIO_FROM_BYTES : by_ratio;
    return by_ratio < (uint64_t)opt->max_inflated ? (size_t)by_ratio : (size_t)opt->max_inflated;
}

/* Let what follows see the request with this body, and without the header that spoke of it. */
static isw_status replace_body(isw_context *ctx, isw_bytes body)
{
    const isw_http *request = isw_http_request(ctx);
    const char *binding = isw_context_function(ctx)->trigger.binding;
    isw_http *changed = isw_context_alloc(ctx, sizeof *changed);
    isw_pair *headers = isw_context_alloc(ctx, (request->headers.count + 1) * sizeof *headers);
    isw_value value = { .type = ISW_VALUE_HTTP, .as.http = changed };
    size_t count = 0;

    if (!changed || !headers)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for the plain body");
    for (size_t i = 0; i < request->headers.count; i++)
        if (!isw_str_equal(request->headers.items[i].name, isw_str_of("content-encoding")) &&
            !isw_str_equal(request->headers.items[i].name, isw_str_of("content-length")))
            headers[count++] = request->headers.items[i];
    *changed = *request;
    changed->headers = (isw_pairs){ headers, count };
    changed->body = body;
    return isw_context_set_input(ctx, binding ? binding : "trigger", &value);
}

static isw_status read_request(isw_context *ctx, const options *opt, const char *encoding)
{
    isw_bytes body = isw_http_body(ctx);
    size_t limit = limit_of(opt, body.size);
    char *plain = NULL;
    isw_status status =
        compress_inflate(body, isw_str_equal_nocase(isw_str_of(encoding), isw_str_of("deflate")),
                         limit, &plain, &body.size);

    body.data = plain;
    if (status == ISW_OK)
        status = isw_context_set_item(ctx, &plain_key, plain);
    if (status == ISW_OK)
        return replace_body(ctx, body);
    isw_free(plain);
    return isw_fail(ctx, status, status == ISW_E_TOO_LARGE ? "the plain body exceeds %zu bytes"
                                 : status == ISW_E_INVALID ? "the body is not as it is encoded"
                                                           : "no memory for the body", limit);
}

static bool is_named(const char *text, const char *name)
{
    return isw_str_equal_nocase(isw_str_of(text), isw_str_of(name));
}

/* Whether the body is encoded once, in a way that is read here. */
static bool is_read_here(const isw_http *request, const char *encoding)
{
    size_t at = 0;

    isw_pairs_next(&request->headers, "content-encoding", &at);
    return !isw_pairs_next(&request->headers, "content-encoding", &at) &&
           (is_named(encoding, "gzip") || is_named(encoding, "x-gzip") ||
            is_named(encoding, "deflate"));
}

/* -- Answers ----------------------------------------------------------------------------------- */

static const char *header_of(const isw_http *reply, const char *name)
{
    const isw_str *value = isw_pairs_find(&reply->headers, name);

    return value ? value->data : NULL;
}

static bool begins_with(const char *text, const char *start)
{
    return isw_str_equal_nocase((isw_str){ text, strnlen(text, strlen(start)) }, isw_str_of(start));
}

static bool is_of_types(const options *opt, const char *type)
{
    for (size_t i = 0; type && i < opt->types.count; i++) {
        size_t size = strlen(opt->types.items[i]);

        if (begins_with(type, opt->types.items[i]) &&
            (opt->types.items[i][size - 1] == '/' || strchr("; \t", type[size])))
            return true; /* strchr finds the end, too */
    }
    return false;
}

/* Whether the caller names gzip, with a weight that is not 0. */
static bool takes_gzip(const char *accept)
{
    while (accept && *accept) {
        size_t size = strcspn(accept, ",");
        const char *weight = memmem(accept, size, "q=", 2);
        char digit = weight ? weight[2 + strspn(weight + 2, "0.")] : '1'; /* no locale reads it */

        if (strcspn(accept, ",; \t") == 4 && begins_with(accept, "gzip"))
            return digit >= '1' && digit <= '9';
        accept += size;
        accept += strspn(accept, ", \t");
    }
    return false;
}

static bool shrink(const options *opt, isw_bytes body, unsigned char *out, size_t *size)
{
    z_stream z = { .zalloc = compress_allocate, .zfree = compress_release,
                   .next_in = (unsigned char *)body.data,
                   .avail_in = (unsigned)body.size, .next_out = out, .avail_out = (unsigned)*size };
    bool done;

    if (deflateInit2(&z, (int)opt->level, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *size = z.total_out;
    deflateEnd(&z);
    return done; /* else it would not be smaller */
}

/* Whether the caller names the tag of an answer that was made smaller: it has one of those. */
static bool knows_weak(isw_context *ctx, const char *tag)
{
    const char *known = isw_http_header(ctx, "if-none-match");
    const char *weak = isw_context_printf(ctx, "W/%s", tag);

    return known && weak && strstr(known, weak);
}

static void weaken(isw_context *ctx, const char *tag)
{
    if (tag && *tag == '"')
        isw_http_set_header(ctx, "etag", isw_context_printf(ctx, "W/%s", tag));
}

/* 304 says what the 200 would (RFC 9110, section 15.4.5). What it stands for is told by its type
 * and length, as those of isw_http_reply_file have them; else the caller's own tag tells. */
static void write_not_modified(isw_context *ctx, const options *opt, const isw_http *reply)
{
    const char *type = header_of(reply, "content-type");
    const char *length = header_of(reply, "content-length");
    const char *tag = header_of(reply, "etag");
    bool smaller;

    if (type && !is_of_types(opt, type))
        return;
    isw_http_add_header(ctx, "vary", "Accept-Encoding");
    if (type && length)
        smaller = strtoull(length, NULL, 10) >= (uint64_t)opt->min_size &&
                  takes_gzip(isw_http_header(ctx, "accept-encoding"));
    else
        smaller = tag && knows_weak(ctx, tag);
    if (smaller) {
        weaken(ctx, tag);
        isw_http_remove_header(ctx, "content-length");
    }
}

static void write_answer(isw_context *ctx, const options *opt)
{
    const isw_http *reply = isw_http_response(ctx);
    const char *type = header_of(reply, "content-type");
    const char *tag = header_of(reply, "etag");
    size_t size = reply->body.size;
    unsigned char *out;

    if (reply->status == 304) {
        write_not_modified(ctx, opt, reply);
        return;
    }
    if (!is_of_types(opt, type) || isw_http_add_header(ctx, "vary", "Accept-Encoding") != ISW_OK ||
        size < (uint64_t)opt->min_size || reply->status == 206 ||
        header_of(reply, "content-encoding") ||
        !takes_gzip(isw_http_header(ctx, "accept-encoding")))
        return;
    out = isw_context_alloc(ctx, size);
    if (!out || !shrink(opt, reply->body, out, &size))
        return;
    weaken(ctx, tag);
    isw_http_remove_header(ctx, "accept-ranges"); /* they were of the plain one */
    isw_http_set_header(ctx, "content-encoding", "gzip");
    isw_http_reply_bytes(ctx, reply->status, type, out, size);
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    const options *opt = isw_instance_options(self);
    const char *encoding =
        isw_http_request(ctx) ? isw_http_header(ctx, "content-encoding") : NULL;
    isw_status status = ISW_OK;

    if (encoding && !is_named(encoding, "identity")) {
        if (!is_read_here(isw_http_request(ctx), encoding) || isw_context_function(ctx)->streams) {
            isw_http_set_header(ctx, "accept-encoding", "gzip, deflate");
            return isw_http_reply_problem(ctx, 415, NULL, "The body's encoding is not taken.");
        }
        status = read_request(ctx, opt, encoding);
    }
    if (takes_gzip(isw_http_request(ctx) ? isw_http_header(ctx, "accept-encoding") : NULL))
        isw_http_reply_shrinks(ctx);
    status = status == ISW_OK ? isw_next_run(next, ctx) : status;
    if (isw_http_request(ctx) && isw_context_outcome(ctx, status) == ISW_OUTCOME_SUCCESS)
        status = isw_http_reply_result(ctx);
    if (isw_http_request(ctx) && isw_http_response(ctx) && !isw_http_begun(ctx))
        write_answer(ctx, opt);
    return status;
}

static void tell(isw_instance *self, isw_facts *facts)
{
    (void)self;
    isw_facts_not_inside(facts, "idempotency",
                         "what is small for the first caller goes to those who cannot read it");
}

extern const isw_middleware isw_middleware_compress;
const isw_middleware isw_middleware_compress = {
    .size = sizeof(isw_middleware),
    .name = "compress",
    .summary = "gzip for answers, and for requests that come compressed",
    .options = rows,
    .options_size = sizeof(options),
    .invoke = invoke,
    .tell = tell,
};
