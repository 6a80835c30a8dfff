/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and ranges. What cannot be read is as good as not there, as the standard has it; of
 * the conditions that name validators it is as good as none that matches. */
#include "worker/http/conditions.h"

#include "url/date.h"
#include "url/fields.h"

/* -- Ranges ------------------------------------------------------------------------------------ */

/* Digits alone; what is too large is as large as can be. */
static bool read_position(isw_str text, uint64_t *out)
{
    uint64_t number = 0;

    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9)
            return false;
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    *out = number;
    return text.size > 0;
}

/* The last `count` bytes. */
static iswi_range_result suffix(uint64_t count, uint64_t size, iswi_range *out)
{
    if (count == 0)
        return ISWI_RANGE_UNSATISFIABLE;
    if (size == 0)
        return ISWI_RANGE_NONE; /* there is no way to say that it was taken */
    out->size = count < size ? count : size;
    out->first = size - out->size;
    return ISWI_RANGE_ONE;
}

iswi_range_result iswi_range_read(isw_str value, uint64_t size, iswi_range *out)
{
    isw_str unit = iswi_field_split(&value, '=');
    isw_str last_text = iswi_field_trim(value);
    isw_str first_text;
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;

    if (!iswi_field_equal(unit, "bytes") || !last_text.size ||
        !memchr(last_text.data, '-', last_text.size))
        return ISWI_RANGE_NONE;
    first_text = iswi_field_split(&last_text, '-');
    if (!first_text.size)
        return read_position(last_text, &last) ? suffix(last, size, out) : ISWI_RANGE_NONE;
    if (!read_position(first_text, &first) ||
        (last_text.size && !read_position(last_text, &last)) || last < first)
        return ISWI_RANGE_NONE;
    if (first >= size)
        return ISWI_RANGE_UNSATISFIABLE;
    out->first = first;
    out->size = (last < size - 1 ? last : size - 1) - first + 1;
    return ISWI_RANGE_ONE;
}

/* -- Validators -------------------------------------------------------------------------------- */

/* Take one entity-tag, with its "W/" if it has one; false: there is none at the start. */
static bool take_tag(isw_str *rest, bool *weak, isw_str *tag)
{
    const char *end;

    *weak = rest->size >= 2 && memcmp(rest->data, "W/", 2) == 0;
    if (*weak)
        *rest = (isw_str){ rest->data + 2, rest->size - 2 };
    if (rest->size < 2 || *rest->data != '"')
        return false;
    end = memchr(rest->data + 1, '"', rest->size - 1);
    if (!end)
        return false;
    *tag = (isw_str){ rest->data, (size_t)(end + 1 - rest->data) };
    *rest = (isw_str){ rest->data + tag->size, rest->size - tag->size };
    return true;
}

/* Whether a list of entity-tags has `etag`, which is strong; a weak one counts if `weakly`. */
static bool list_has(isw_str list, isw_str etag, bool weakly)
{
    isw_str tag;
    bool weak;

    list = iswi_field_trim(list);
    if (isw_str_equal(list, isw_str_of("*")))
        return true;
    while (list.size) {
        if (*list.data == ',') {
            list = iswi_field_trim((isw_str){ list.data + 1, list.size - 1 });
            continue;
        }
        if (!take_tag(&list, &weak, &tag))
            return false;
        if (isw_str_equal(tag, etag) && (weakly || !weak))
            return true;
        list = iswi_field_trim(list);
    }
    return false;
}

/* Whether any header of that name has `etag`. */
static bool has_tag(const isw_http *request, const char *name, isw_str etag, bool weakly)
{
    const isw_pair *header;
    size_t at = 0;

    while ((header = isw_pairs_next(&request->headers, name, &at)))
        if (list_has(header->value, etag, weakly))
            return true;
    return false;
}

/* The one header of that name as a date. */
static bool date_of(const isw_http *request, const char *name, int64_t now, int64_t *out)
{
    const isw_str *value = isw_pairs_find(&request->headers, name);

    return value && iswi_http_date_read(iswi_field_trim(*value), now, out);
}

/* Whether an If-Range, if there is one, lets the range count (RFC 9110, section 13.1.5). */
static bool if_range_holds(const isw_http *request, const iswi_representation *there)
{
    const isw_str *value = isw_pairs_find(&request->headers, "if-range");
    int64_t when;
    isw_str text, tag;
    bool weak;

    if (!value)
        return true;
    text = iswi_field_trim(*value);
    if (take_tag(&text, &weak, &tag))
        return !weak && !text.size && isw_str_equal(tag, there->etag);
    /* A date is strong only for what has rested for a second since (section 8.8.2.2). */
    return iswi_http_date_read(iswi_field_trim(*value), there->now_s, &when) &&
           when == there->modified_s && there->modified_s < there->now_s;
}

/* In the order of RFC 9110, section 13.2.2. */
static int judge_conditions(const isw_http *request, const iswi_representation *there)
{
    const isw_pairs *headers = &request->headers;
    int64_t when;

    if (isw_pairs_find(headers, "if-match")) {
        if (!has_tag(request, "if-match", there->etag, false))
            return 412;
    } else if (date_of(request, "if-unmodified-since", there->now_s, &when)) {
        if (there->modified_s > when)
            return 412;
    }
    if (isw_pairs_find(headers, "if-none-match"))
        return has_tag(request, "if-none-match", there->etag, true) ? 304 : 200;
    if (date_of(request, "if-modified-since", there->now_s, &when) && there->modified_s <= when)
        return 304;
    return 200;
}

static int judge_range(const isw_http *request, const iswi_representation *there,
                       iswi_range *range)
{
    size_t at = 0;
    const isw_pair *header = isw_pairs_next(&request->headers, "range", &at);

    if (!header || isw_pairs_next(&request->headers, "range", &at) ||
        !if_range_holds(request, there))
        return 200;
    switch (iswi_range_read(header->value, there->size, range)) {
    case ISWI_RANGE_ONE:
        return 206;
    case ISWI_RANGE_UNSATISFIABLE:
        return 416;
    default:
        return 200;
    }
}

int iswi_http_judge(const isw_http *request, const iswi_representation *there, iswi_range *range)
{
    bool get = isw_str_equal(request->method, isw_str_of("GET"));
    int status = 200;

    *range = (iswi_range){ 0, there->size };
    if (get || isw_str_equal(request->method, isw_str_of("HEAD")))
        status = judge_conditions(request, there);
    return get && status == 200 ? judge_range(request, there, range) : status;
}
