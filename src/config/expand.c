/* SPDX-License-Identifier: Apache-2.0 */
/* Environment variables in values. The text that a variable brings in is never looked at again, so
 * that an environment cannot name further variables. */
#include "config/expand.h"

#include "base/buffer.h"
#include "base/text.h"

#include <stdlib.h>

typedef struct expansion {
    iswi_config *config;
    iswi_place place;
    isw_error *error;
    iswi_buffer out;
} expansion;

bool iswi_variable_name_valid(const char *name, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    for (size_t i = 0; i < size; i++)
        if (!name[i] || !strchr(i ? all : letters, name[i]))
            return false;
    return size != 0;
}

static isw_status put(expansion *x, const char *text, size_t size)
{
    if (size > ISWI_CONFIG_MAX_EXPANDED_BYTES - x->out.size)
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "the value expands to more than %d bytes",
                                     ISWI_CONFIG_MAX_EXPANDED_BYTES);
    if (!iswi_buffer_append(&x->out, text, size))
        return iswi_config_no_memory(x->config, x->error);
    return ISW_OK;
}

/* The value of variable `name`, or of what stands behind ":-" if it is unset or empty, as in sh. */
static isw_status put_variable(expansion *x, const char *name, size_t name_size,
                               const char *fallback, size_t fallback_size)
{
    const char *copy = iswi_arena_strndup(&x->config->arena, name, name_size);
    const char *value = copy ? getenv(copy) : NULL;

    if (!copy)
        return iswi_config_no_memory(x->config, x->error);
    if (fallback && (!value || !*value))
        return put(x, fallback, fallback_size);
    if (!value)
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "environment variable \"%s\" is not set; "
                                     "set it, or give a default: ${%s:-value}",
                                     copy, copy);
    if (!iswi_utf8_valid(value, strlen(value)))
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "environment variable \"%s\" is not UTF-8 text", copy);
    return put(x, value, strlen(value));
}

/* `at` is behind "${"; on success *end is behind "}". */
static isw_status put_reference(expansion *x, const char *at, const char **end)
{
    const char *close = strchr(at, '}');
    const char *fallback;
    size_t name_size;

    if (!close)
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "\"${\" without \"}\"; write \"$$\" for a plain \"$\"");
    name_size = strcspn(at, ":}");
    fallback = strncmp(at + name_size, ":-", 2) == 0 ? at + name_size + 2 : NULL;
    if (!iswi_variable_name_valid(at, name_size) || (!fallback && at[name_size] != '}'))
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "\"${\" must be followed by the name of an environment "
                                     "variable and \"}\" or \":-\"; "
                                     "write \"$$\" for a plain \"$\"");
    if (fallback && memmem(fallback, (size_t)(close - fallback), "${", 2))
        return iswi_config_refuse_at(x->config, x->place, x->error,
                                     "the default of \"${%.*s:-...}\" cannot hold another \"${\"",
                                     (int)name_size, at);
    *end = close + 1;
    return put_variable(x, at, name_size, fallback, fallback ? (size_t)(close - fallback) : 0);
}

static isw_status expand(expansion *x, const char *at)
{
    isw_status status = ISW_OK;

    while (*at && status == ISW_OK) {
        size_t plain = strcspn(at, "$");

        if (plain == 0 && at[1] == '$') {
            status = put(x, "$", 1);
            at += 2;
        } else if (plain == 0 && at[1] == '{') {
            status = put_reference(x, at + 2, &at);
        } else {
            plain = plain ? plain : 1;
            status = put(x, at, plain);
            at += plain;
        }
    }
    return status;
}

isw_status iswi_config_expand(iswi_config *config, iswi_place place, const char *text,
                              const char **out, bool *changed, isw_error *error)
{
    expansion x = { config, place, error, { 0 } };
    isw_status status;

    *changed = strstr(text, "${") || strstr(text, "$$");
    if (!*changed) {
        *out = text;
        return ISW_OK;
    }
    status = expand(&x, text);
    if (status == ISW_OK) {
        *out = iswi_arena_strndup(&config->arena, (const char *)x.out.data, x.out.size);
        if (!*out)
            status = iswi_config_no_memory(config, error);
    }
    iswi_buffer_fini(&x.out);
    return status;
}
