/* SPDX-License-Identifier: Apache-2.0 */
/* What the headers of a part say of it. A second word on anything that decides what the part is
 * would be read one way here and another way elsewhere, and is refused. */
#include "base/text.h"
#include "url/fields.h"
#include "url/percent.h"
#include "worker/http/multipart.h"

typedef struct reader {
    isw_part *part;
    size_t at; /* of the part's headers in the body */
    iswi_arena *arena;
    isw_error *error;
    bool disposed, typed; /* Content-Disposition, Content-Type was seen */
    isw_str plain_filename;
    isw_str extended_filename;
} reader;

static isw_status refuse(const reader *r, const char *what)
{
    return isw_error_set(r->error, ISW_E_INVALID,
                         "the multipart body has a part, whose headers begin at byte %zu, %s",
                         r->at, what);
}

static isw_status no_memory(const reader *r)
{
    return isw_error_set(r->error, ISW_E_NO_MEMORY, "no memory for a multipart body");
}

/* Set what may be set once. */
static isw_status set_once(const reader *r, isw_str *member, isw_str value, const char *again)
{
    if (member->data)
        return refuse(r, again);
    if (!iswi_utf8_valid(value.data, value.size))
        return refuse(r, "with a name that is not UTF-8");
    if (!iswi_field_is_value(value))
        return refuse(r, "with a control character in a name");
    *member = value;
    return ISW_OK;
}

/* UTF-8''%e2%82%ac (RFC 8187, section 3.2). */
static isw_status decode_extended(const reader *r, isw_str value, isw_str *out)
{
    isw_str charset = iswi_field_split(&value, '\'');
    const char *quote = value.size ? memchr(value.data, '\'', value.size) : NULL;
    char *text;

    if (!iswi_field_equal(charset, "utf-8") || !quote)
        return refuse(r, "with a filename* that is not UTF-8''...");
    iswi_field_split(&value, '\''); /* the language */
    text = iswi_arena_alloc(r->arena, value.size + 1);
    if (!text)
        return no_memory(r);
    *out = (isw_str){ text, iswi_percent_decode(value, false, text) };
    if (out->size == SIZE_MAX || memchr(text, 0, out->size))
        return refuse(r, "with a filename* that is not percent-encoded as it should");
    return ISW_OK;
}

static isw_status take_param(reader *r, isw_pair param)
{
    isw_status status;

    if (iswi_field_equal(param.name, "name"))
        return set_once(r, &r->part->name, param.value, "with two names");
    if (iswi_field_equal(param.name, "filename"))
        return set_once(r, &r->plain_filename, param.value, "with two names of a file");
    if (!iswi_field_equal(param.name, "filename*"))
        return ISW_OK;
    status = decode_extended(r, param.value, &param.value);
    return status == ISW_OK
               ? set_once(r, &r->extended_filename, param.value, "with two names of a file")
               : status;
}

static isw_status take_disposition(reader *r, isw_str value)
{
    isw_pair param;

    if (r->disposed)
        return refuse(r, "with two Content-Dispositions");
    r->disposed = true;
    if (!iswi_field_equal(iswi_field_split(&value, ';'), "form-data"))
        return refuse(r, "whose Content-Disposition is not form-data");
    for (;;) {
        isw_status status;

        switch (iswi_param_next(&value, r->arena, &param)) {
        case ISWI_PARAM_END:
            return r->part->name.data ? ISW_OK : refuse(r, "without a name");
        case ISWI_PARAM_BAD:
            return refuse(r, "whose Content-Disposition is malformed");
        case ISWI_PARAM_NO_MEMORY:
            return no_memory(r);
        default:
            status = take_param(r, param);
            if (status != ISW_OK)
                return status;
        }
    }
}

/* Encodings that change nothing; others went out of use (RFC 7578, section 4.7). */
static bool is_plain_encoding(isw_str value)
{
    return iswi_field_equal(value, "7bit") || iswi_field_equal(value, "8bit") ||
           iswi_field_equal(value, "binary");
}

static isw_status take_header(reader *r, isw_pair header)
{
    if (iswi_field_equal(header.name, "content-disposition"))
        return take_disposition(r, header.value);
    if (iswi_field_equal(header.name, "content-type")) {
        if (r->typed)
            return refuse(r, "with two Content-Types");
        r->typed = true;
        r->part->content_type = header.value;
    }
    if (iswi_field_equal(header.name, "content-transfer-encoding") &&
        !is_plain_encoding(header.value))
        return refuse(r, "with a Content-Transfer-Encoding; send it as it is");
    return ISW_OK;
}

isw_status iswi_part_describe(isw_part *part, size_t at, iswi_arena *arena, isw_error *error)
{
    reader r = { .part = part, .at = at, .arena = arena, .error = error };

    part->content_type = isw_str_of("text/plain");
    for (size_t i = 0; i < part->headers.count; i++) {
        isw_status status = take_header(&r, part->headers.items[i]);

        if (status != ISW_OK)
            return status;
    }
    if (!r.disposed)
        return refuse(&r, "without a Content-Disposition");
    part->filename = r.extended_filename.data ? r.extended_filename : r.plain_filename;
    return ISW_OK;
}
