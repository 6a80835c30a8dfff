/* SPDX-License-Identifier: Apache-2.0 */
/* What the specification says of attributes (CloudEvents 1.0.2, "Context Attributes"). */
#include "host/cloudevents/event.h"

#include "url/fields.h"

bool iswi_event_init(iswi_event *event, iswi_arena *arena)
{
    *event = (iswi_event){ .count = 0 };
    event->attributes =
        iswi_arena_calloc(arena, ISWI_EVENT_ATTRIBUTES_MAX, sizeof *event->attributes);
    return event->attributes != NULL;
}

/* -- Adding ------------------------------------------------------------------------------------ */

static const isw_value *find(const iswi_event *event, isw_str name)
{
    for (size_t i = 0; i < event->count; i++)
        if (isw_str_equal(event->attributes[i].name, name))
            return &event->attributes[i].value;
    return NULL;
}

static bool is_name(isw_str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!((name.data[i] >= 'a' && name.data[i] <= 'z') ||
              (name.data[i] >= '0' && name.data[i] <= '9')))
            return false;
    return name.size > 0 && name.size <= 100 && !isw_str_equal(name, isw_str_of("data"));
}

/* Control characters, C1 included, are no part of a string. */
static bool is_string(isw_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 || c == 0x7f ||
            (c == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0))
            return false;
    }
    return true;
}

static const char *fault_of(const isw_value *value)
{
    switch (value->type) {
    case ISW_VALUE_BOOL:
        return NULL;
    case ISW_VALUE_INT:
        return value->as.integer >= INT32_MIN && value->as.integer <= INT32_MAX
                   ? NULL
                   : "is an integer of more than 32 bits";
    case ISW_VALUE_STRING:
        return is_string(value->as.string) ? NULL : "has a control character";
    default:
        return "is to be a string, an integer or true or false";
    }
}

isw_status iswi_event_add(iswi_event *event, isw_str name, const isw_value *value,
                          isw_error *error)
{
    const int shown = name.size > 100 ? 100 : (int)name.size;
    const char *fault;

    if (!is_name(name))
        return isw_error_set(error, ISW_E_INVALID,
                             "\"%.*s\" cannot be the name of an attribute: those are made of small "
                             "letters and digits", shown, name.data);
    if (find(event, name))
        return isw_error_set(error, ISW_E_INVALID, "%.*s is there twice", shown, name.data);
    if (value->type == ISW_VALUE_NONE)
        return ISW_OK;
    fault = fault_of(value);
    if (fault)
        return isw_error_set(error, ISW_E_INVALID, "%.*s %s", shown, name.data, fault);
    if (event->count == ISWI_EVENT_ATTRIBUTES_MAX)
        return isw_error_set(error, ISW_E_INVALID, "an event has at most %d attributes",
                             ISWI_EVENT_ATTRIBUTES_MAX);
    event->attributes[event->count++] = (isw_named_value){ name, *value };
    return ISW_OK;
}

isw_str iswi_event_text(const iswi_event *event, const char *name)
{
    const isw_value *value = find(event, isw_str_of(name));

    return value && value->type == ISW_VALUE_STRING ? value->as.string : (isw_str){ "", 0 };
}

/* -- Checking ---------------------------------------------------------------------------------- */

/* RFC 3339, "date-time": 'd' stands for a digit. */
static bool has_form(isw_str text, const char *form)
{
    if (text.size != strlen(form))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];

        if (form[i] == 'd' ? c < '0' || c > '9' : (c | 0x20) != (form[i] | 0x20))
            return false;
    }
    return true;
}

static int digits_at(isw_str text, size_t at)
{
    return (text.data[at] - '0') * 10 + text.data[at + 1] - '0';
}

static bool is_offset(isw_str text)
{
    return has_form(text, "Z") ||
           ((has_form(text, "+dd:dd") || has_form(text, "-dd:dd")) && digits_at(text, 1) < 24 &&
            digits_at(text, 4) < 60);
}

static bool is_time(isw_str text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    size_t at = sizeof form - 1;

    if (text.size <= at || !has_form((isw_str){ text.data, at }, form) ||
        digits_at(text, 5) < 1 || digits_at(text, 5) > 12 || digits_at(text, 8) < 1 ||
        digits_at(text, 8) > 31 || digits_at(text, 11) > 23 || digits_at(text, 14) > 59 ||
        digits_at(text, 17) > 60)
        return false;
    if (text.data[at] == '.') {
        const size_t first = ++at;

        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == first)
            return false;
    }
    return is_offset((isw_str){ text.data + at, text.size - at });
}

static bool is_uri(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == ' ' || strchr("<>\"{}|\\^`", text.data[i]))
            return false;
    return text.size > 0;
}

static bool is_media_type(isw_str text)
{
    isw_str type = iswi_field_split(&text, ';');
    isw_str main = iswi_field_split(&type, '/');

    return iswi_field_is_token(main) && iswi_field_is_token(type);
}

static bool is_not_empty(isw_str text)
{
    return text.size > 0;
}

static bool is_version(isw_str text)
{
    return isw_str_equal(text, isw_str_of("1.0"));
}

isw_status iswi_event_check(const iswi_event *event, isw_error *error)
{
    static const struct {
        const char *name;
        bool must;
        bool (*holds)(isw_str text);
        const char *shall;
    } rows[] = {
        { "specversion", true, is_version, "1.0, the version that is read here" },
        { "id", true, is_not_empty, "a string that is not empty" },
        { "source", true, is_uri, "a URI reference that is not empty" },
        { "type", true, is_not_empty, "a string that is not empty" },
        { "datacontenttype", false, is_media_type, "a media type such as application/json" },
        { "dataschema", false, is_uri, "a URI" },
        { "subject", false, is_not_empty, "a string that is not empty" },
        { "time", false, is_time, "a time such as 2026-01-31T23:59:59Z (RFC 3339)" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const isw_value *value = find(event, isw_str_of(rows[i].name));

        if (!value && rows[i].must)
            return isw_error_set(error, ISW_E_INVALID, "the attribute %s is missing",
                                 rows[i].name);
        if (value && (value->type != ISW_VALUE_STRING || !rows[i].holds(value->as.string)))
            return isw_error_set(error, ISW_E_INVALID, "%s is to be %s", rows[i].name,
                                 rows[i].shall);
    }
    return ISW_OK;
}
