/* SPDX-License-Identifier: Apache-2.0 */
/* What was given is gone through, then the rows of the table: so each is looked at from its own
 * side. */
#include "config/properties.h"

#include "base/text.h"
#include "config/message.h"
#include "config/phrase.h"
#include "config/scalar.h"

#include <assert.h>

enum { ROWS_MAX = 64, SHOWN_BYTES = 64 };

isw_status iswi_properties_unknown(const char *subject, const char *wrong, const char *lead,
                                   const char *const *known, isw_error *error)
{
    const char *nearest = iswi_config_nearest(wrong, known);
    iswi_buffer text = { 0 };

    iswi_buffer_printf(&text, "no %s \"", subject);
    iswi_terminal_text(&text, (isw_str){ wrong, strnlen(wrong, SHOWN_BYTES) });
    iswi_buffer_append_text(&text, "\"");
    if (nearest)
        iswi_buffer_printf(&text, "; did you mean \"%s\"?", nearest);
    for (size_t i = 0; known[i]; i++)
        iswi_buffer_printf(&text, "%s%s%s", i ? ", " : nearest ? " " : "; ", i ? "" : lead,
                           known[i]);
    if (!known[0])
        iswi_buffer_printf(&text, "; %snone", lead);
    isw_error_set(error, ISW_E_CONFIG, "%s",
                  iswi_buffer_text(&text) ? iswi_buffer_text(&text) : subject);
    iswi_buffer_fini(&text);
    return ISW_E_CONFIG;
}

static isw_status refuse_unknown(const isw_option *table, isw_str name, isw_error *error)
{
    const char *known[ROWS_MAX + 1] = { NULL };
    char wrong[SHOWN_BYTES + 1] = "";
    size_t size = name.size < SHOWN_BYTES ? name.size : SHOWN_BYTES;

    for (size_t i = 0; table && table[i].name && i < ROWS_MAX; i++)
        known[i] = table[i].name;
    if (size)
        memcpy(wrong, name.data, size);
    return iswi_properties_unknown("property", wrong, "it takes ", known, error);
}

static const isw_option *row_of(const isw_option *table, isw_str name)
{
    for (; table && table->name; table++)
        if (isw_str_equal(isw_str_of(table->name), name))
            return table;
    return NULL;
}

/* NULL, or what is wrong in a phrase. */
static const char *read_choice(const isw_option *row, const char *text, int64_t *out)
{
    for (int64_t i = 0; row->choices[i]; i++)
        if (strcmp(row->choices[i], text) == 0) {
            *out = i;
            return NULL;
        }
    return "is none of them";
}

static const char *read_number(const isw_option *row, const char *text, int64_t *out)
{
    const char *(*read)(const char *, int64_t *) = row->type == ISW_OPTION_DURATION
                                                       ? iswi_scalar_duration
                                                   : row->type == ISW_OPTION_SIZE
                                                       ? iswi_scalar_size
                                                       : iswi_scalar_int;
    int64_t number = 0;
    const char *wrong = read(text, &number);

    if (!wrong && (number < row->min || number > iswi_option_max(row)))
        wrong = "is out of range";
    if (!wrong)
        *out = number;
    return wrong;
}

static const char *read_value(const isw_option *row, const char *text, void *out)
{
    switch (row->type) {
    case ISW_OPTION_BOOL:
        return iswi_scalar_bool(text, out);
    case ISW_OPTION_DOUBLE:
        return iswi_scalar_double(text, out);
    case ISW_OPTION_ENUM:
        return read_choice(row, text, out);
    case ISW_OPTION_INT:
    case ISW_OPTION_DURATION:
    case ISW_OPTION_SIZE:
        return read_number(row, text, out);
    default:
        assert(row->type == ISW_OPTION_STRING);
        *(const char **)out = text;
        return NULL;
    }
}

static isw_status refuse_value(const isw_option *row, const char *text, isw_error *error)
{
    iswi_buffer words = { 0 };

    iswi_option_describe(row, &words);
    iswi_buffer_append_text(&words, ", not \"");
    iswi_terminal_text(&words, (isw_str){ text, strnlen(text, SHOWN_BYTES) });
    isw_error_set(error, ISW_E_CONFIG, "property \"%s\" must be %s\"", row->name,
                  iswi_buffer_text(&words) ? iswi_buffer_text(&words) : "another");
    iswi_buffer_fini(&words);
    return ISW_E_CONFIG;
}

/* The text that stands for a row: as given, or its default; NULL: neither. */
static isw_status read_row(const isw_option *row, const isw_pairs *given, iswi_arena *arena,
                           unsigned char *out, isw_error *error)
{
    const isw_str *value = isw_pairs_find(given, row->name);
    const char *text = row->default_value;

    if (value && !(text = iswi_arena_strndup(arena, value->data, value->size)))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for properties");
    if (!text && row->optional)
        return ISW_OK;
    if (!text)
        return isw_error_set(error, ISW_E_CONFIG, "property \"%s\" is missing%s%s", row->name,
                             row->help ? ": " : "", row->help ? row->help : "");
    return read_value(row, text, out + row->offset) ? refuse_value(row, text, error) : ISW_OK;
}

isw_status iswi_properties_read(const isw_option *table, size_t size, const isw_pairs *given,
                                iswi_arena *arena, const void **out, isw_error *error)
{
    void *values = iswi_arena_calloc(arena, 1, size ? size : 1);
    isw_status status = ISW_OK;

    if (!values)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for properties");
    for (size_t i = 0; i < given->count; i++) {
        const isw_option *row = row_of(table, given->items[i].name);

        if (!row)
            return refuse_unknown(table, given->items[i].name, error);
        if (isw_pairs_find(given, row->name) != &given->items[i].value)
            return isw_error_set(error, ISW_E_CONFIG, "property \"%s\" is given twice", row->name);
    }
    for (const isw_option *row = table; status == ISW_OK && row && row->name; row++)
        status = read_row(row, given, arena, values, error);
    if (status == ISW_OK)
        *out = values;
    return status;
}
