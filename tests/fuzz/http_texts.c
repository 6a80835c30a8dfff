/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a caller sends to be parsed: the first byte chooses as what. Views lie within
 * what was sent, and what is read well keeps its promises. */
#include "url/date.h"
#include "url/query.h"
#include "worker/http/conditions.h"
#include "worker/http/cookie.h"
#include "worker/http/multipart.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool lies_in(const void *view, size_t size, isw_str text)
{
    uintptr_t start = (uintptr_t)text.data;
    uintptr_t at = (uintptr_t)view;

    return at >= start && at - start <= text.size && size <= text.size - (at - start);
}

static void check_failure(isw_status status, const isw_error *error)
{
    must((status == ISW_E_INVALID || status == ISW_E_TOO_LARGE) && error->status == status &&
         error->message[0]);
}

static void try_multipart(isw_str text, iswi_arena *arena)
{
    isw_bytes body = { text.data, text.size };
    isw_error error = { .status = ISW_OK };
    iswi_parts parts = { NULL, 0 };
    isw_status status = iswi_multipart_read(body, isw_str_of("b"), arena, &parts, &error);
    const char *behind = text.data;

    if (status != ISW_OK) {
        check_failure(status, &error);
        return;
    }
    must(parts.count <= ISW_PARTS_MAX);
    for (size_t i = 0; i < parts.count; i++) {
        const isw_part *part = &parts.items[i];
        const char *start = part->data.data;

        must(part->name.data && part->headers.count <= ISW_PART_HEADERS_MAX);
        must(lies_in(start, part->data.size, text) && start >= behind);
        must(!part->data.size || !memmem(start, part->data.size, "\r\n--b", 5));
        behind = start + part->data.size;
    }
}

static void try_boundary(isw_str text, iswi_arena *arena)
{
    isw_error error = { .status = ISW_OK };
    isw_str boundary;
    isw_status status = iswi_multipart_boundary(text, arena, &boundary, &error);

    if (status == ISW_OK)
        must(boundary.size > 0 && boundary.size <= ISWI_BOUNDARY_MAX);
    else
        check_failure(status, &error);
}

static void try_cookie(isw_str text)
{
    isw_str value;

    if (iswi_cookie_find(text, isw_str_of("a"), &value))
        must(lies_in(value.data, value.size, text) &&
             (!value.size || !memchr(value.data, ';', value.size)));
}

/* As the value of every header that a condition or a range stands in. */
static void try_conditions(isw_str text)
{
    const isw_pair headers[] = { { { "if-none-match", 13 }, text },
                                 { { "if-match", 8 }, text },
                                 { { "if-range", 8 }, text },
                                 { { "range", 5 }, text } };
    const iswi_representation there = { .etag = { "\"a\"", 3 }, .now_s = 1, .size = 1000 };

    for (size_t i = 0; i < 4; i++) {
        isw_http request = { .method = { "GET", 3 }, .headers = { &headers[i], 4 - i } };
        iswi_range range;
        int status = iswi_http_judge(&request, &there, &range);

        must(range.first <= there.size && range.size <= there.size - range.first);
        must(status == 200 || status == 206 || status == 304 || status == 412 || status == 416);
    }
}

static void try_date(isw_str text)
{
    char written[ISWI_HTTP_DATE_BYTES];
    int64_t seconds, again;

    if (!iswi_http_date_read(text, 0, &seconds))
        return;
    must(iswi_http_date_write(seconds, written) || seconds >= INT64_C(253402300800));
    if (written[0])
        must(iswi_http_date_read(isw_str_of(written), 0, &again) && again == seconds);
}

static void try_form(isw_str text, iswi_arena *arena)
{
    isw_pairs fields;
    size_t bad;

    must(iswi_query_read(text, arena, &fields, &bad) == ISWI_QUERY_OK || bad < text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    isw_str text = { (const char *)data + 1, size - 1 };
    iswi_arena arena;

    if (size < 1)
        return 0;
    iswi_arena_init(&arena, 4096);
    switch (data[0]) {
    case 'm':
        try_multipart(text, &arena);
        break;
    case 'b':
        try_boundary(text, &arena);
        break;
    case 'c':
        try_cookie(text);
        break;
    case 'h':
        try_conditions(text);
        break;
    case 'd':
        try_date(text);
        break;
    case 'f':
        try_form(text, &arena);
        break;
    default:
        break;
    }
    iswi_arena_fini(&arena);
    return 0;
}
