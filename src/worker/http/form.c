/* SPDX-License-Identifier: Apache-2.0 */
/* Forms: the request's body, read once and kept with the invocation. */
#include "base/text.h"
#include "url/percent.h"
#include "url/query.h"
#include "worker/context/failure.h"
#include "worker/http/multipart.h"

#include <isoworker/http.h>

#define URLENCODED "application/x-www-form-urlencoded"
#define MULTIPART "multipart/form-data"

typedef struct kept_form {
    bool has_fields, has_parts; /* what was read well */
    isw_pairs fields;
    iswi_parts parts;
} kept_form;

static const isw_item_key form_key = { .name = "form" };

static kept_form *form_of(isw_context *ctx)
{
    kept_form *known = isw_context_item(ctx, &form_key);
    kept_form *made = known ? known : iswi_arena_calloc(&ctx->arena, 1, sizeof *made);

    if (known || (made && isw_context_set_item(ctx, &form_key, made) == ISW_OK))
        return made;
    iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a form");
    return NULL;
}

/* Whether the body can be read as `type`. */
static isw_status check_body(isw_context *ctx, const char *type)
{
    const char *own = isw_http_header(ctx, "content-type");

    if (!isw_http_request(ctx))
        return iswi_fail(ctx, ISW_E_INVALID, "there is no form: the trigger is not HTTP");
    if (!isw_http_content_type_is(ctx, type))
        return iswi_fail(ctx, ISW_E_INVALID, "the body is not of type %s but %s", type,
                         own ? own : "of none that is said");
    if (ctx->bound->function->streams)
        return iswi_misuse(ctx, ISW_E_UNSUPPORTED,
                         "the function \"%s\" streams, so that its body cannot be read as a form",
                         ctx->bound->function->name);
    return ISW_OK;
}

/* -- application/x-www-form-urlencoded --------------------------------------------------------- */

/* The byte where the escape begins that is wrong, in the part at `at`. */
static size_t bad_escape(isw_str text, size_t at)
{
    for (; at < text.size; at++) {
        size_t rest = text.size - at;

        if (text.data[at] == '%' &&
            !iswi_percent_valid((isw_str){ text.data + at, rest < 3 ? rest : 3 }))
            break;
    }
    return at;
}

static isw_status fail_query(isw_context *ctx, iswi_query_result result, isw_str text, size_t bad)
{
    switch (result) {
    case ISWI_QUERY_BAD_ESCAPE:
        return iswi_fail(ctx, ISW_E_INVALID,
                         "the form is malformed at byte %zu: %% is not followed by two hexadecimal "
                         "digits", bad_escape(text, bad));
    case ISWI_QUERY_NUL:
        return iswi_fail(ctx, ISW_E_INVALID, "the form's field at byte %zu has a NUL", bad);
    case ISWI_QUERY_NOT_UTF8:
        return iswi_fail(ctx, ISW_E_INVALID, "the form's field at byte %zu is not UTF-8", bad);
    default:
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a form");
    }
}

static isw_status read_fields(isw_context *ctx, isw_pairs *out)
{
    isw_bytes body = isw_http_body(ctx);
    isw_str text = { body.data, body.size };
    iswi_query_result result;
    size_t fields = 1;
    size_t bad;

    for (size_t i = 0; i < text.size && fields <= ISW_FORM_FIELDS_MAX; i++)
        fields += text.data[i] == '&';
    if (fields > ISW_FORM_FIELDS_MAX)
        return iswi_fail(ctx, ISW_E_TOO_LARGE, "the form has more than %d fields",
                         ISW_FORM_FIELDS_MAX);
    result = iswi_query_read(text, &ctx->arena, out, &bad);
    return result == ISWI_QUERY_OK ? ISW_OK : fail_query(ctx, result, text, bad);
}

isw_status isw_form_read(isw_context *ctx, const isw_pairs **out)
{
    ISWI_ALIVE(ctx);
    kept_form *form = form_of(ctx);
    isw_status status = form ? ISW_OK : ISW_E_NO_MEMORY;

    if (form && !form->has_fields) {
        status = check_body(ctx, URLENCODED);
        if (status == ISW_OK)
            status = read_fields(ctx, &form->fields);
        form->has_fields = status == ISW_OK;
    }
    if (status == ISW_OK)
        *out = &form->fields;
    return status;
}

/* -- multipart/form-data ----------------------------------------------------------------------- */

static isw_status read_parts(isw_context *ctx, iswi_parts *out)
{
    const isw_str *type = isw_pairs_find(&isw_http_request(ctx)->headers, "content-type");
    isw_error error = { .status = ISW_OK };
    isw_str boundary;
    isw_status status = iswi_multipart_boundary(*type, &ctx->arena, &boundary, &error);

    if (status == ISW_OK)
        status = iswi_multipart_read(isw_http_body(ctx), boundary, &ctx->arena, out, &error);
    return status == ISW_OK ? ISW_OK : iswi_fail(ctx, status, "%s", error.message);
}

isw_status isw_multipart_read(isw_context *ctx, const isw_part **parts, size_t *count)
{
    ISWI_ALIVE(ctx);
    kept_form *form = form_of(ctx);
    isw_status status = form ? ISW_OK : ISW_E_NO_MEMORY;

    if (form && !form->has_parts) {
        status = check_body(ctx, MULTIPART);
        if (status == ISW_OK)
            status = read_parts(ctx, &form->parts);
        form->has_parts = status == ISW_OK;
    }
    if (status != ISW_OK)
        return status;
    *parts = form->parts.items;
    *count = form->parts.count;
    return ISW_OK;
}

const isw_part *isw_multipart_find(const isw_part *parts, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (isw_str_equal(parts[i].name, isw_str_of(name)))
            return &parts[i];
    return NULL;
}

/* -- Either ------------------------------------------------------------------------------------ */

static const char *text_of_part(isw_context *ctx, const isw_part *part)
{
    isw_bytes data = part->data;

    if (data.size && (memchr(data.data, 0, data.size) || !iswi_utf8_valid(data.data, data.size))) {
        iswi_fail(ctx, ISW_E_INVALID, "the form's field \"%.*s\" is no text in UTF-8",
                  (int)part->name.size, part->name.data);
        return NULL;
    }
    return isw_context_strndup(ctx, data.data, data.size);
}

static const char *field_of_parts(isw_context *ctx, const char *name)
{
    const isw_part *parts;
    size_t count;

    if (isw_multipart_read(ctx, &parts, &count) != ISW_OK)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!parts[i].filename.data && isw_str_equal(parts[i].name, isw_str_of(name)))
            return text_of_part(ctx, &parts[i]);
    return NULL;
}

const char *isw_form_field(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    const isw_pairs *fields;

    if (!name)
        return NULL;
    if (isw_http_content_type_is(ctx, MULTIPART))
        return field_of_parts(ctx, name);
    if (!isw_http_content_type_is(ctx, URLENCODED) || isw_form_read(ctx, &fields) != ISW_OK)
        return NULL;
    for (size_t i = 0; i < fields->count; i++)
        if (isw_str_equal(fields->items[i].name, isw_str_of(name)))
            return isw_context_strndup(ctx, fields->items[i].value.data,
                                       fields->items[i].value.size);
    return NULL;
}
