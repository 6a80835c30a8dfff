/* SPDX-License-Identifier: Apache-2.0 */
/* What refusals are made of. A message can be built when memory is out: then it says less. */
#include "config/message.h"

#include "base/text.h"

#include <stdio.h>

enum { QUOTE_BYTES = 60 };

static isw_status refuse(iswi_config *config, iswi_place place, isw_error *error,
                         const char *format, va_list args)
{
    isw_error own = { ISW_OK, "" };
    char text[ISW_ERROR_MESSAGE_BYTES];

    vsnprintf(text, sizeof text, format, args);
    isw_error_set(&own, ISW_E_CONFIG, "%s:%u:%u: %s", config->name, place.line, place.column, text);
    iswi_faults_add(config->faults, own.message);
    return isw_error_set(error, ISW_E_CONFIG, "%s", own.message);
}

isw_status iswi_config_refuse_at(iswi_config *config, iswi_place place, isw_error *error,
                                 const char *format, ...)
{
    isw_status status;
    va_list args;

    va_start(args, format);
    status = refuse(config, place, error, format, args);
    va_end(args);
    return status;
}

isw_status iswi_config_refuse(iswi_config *config, const iswi_node *node, isw_error *error,
                              const char *format, ...)
{
    isw_status status;
    va_list args;

    va_start(args, format);
    status = refuse(config, iswi_node_key_place(node), error, format, args);
    va_end(args);
    return status;
}

isw_status iswi_config_no_memory(const iswi_config *config, isw_error *error)
{
    return isw_error_set(error, ISW_E_NO_MEMORY, "%s: out of memory", config->name);
}

const char *iswi_config_quote(iswi_config *config, const char *text)
{
    size_t size = strnlen(text, QUOTE_BYTES + 1);
    bool cut = size > QUOTE_BYTES;
    iswi_buffer safe = { 0 };
    const char *quoted = NULL;

    if (cut)
        for (size = QUOTE_BYTES; size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80;)
            size--;
    iswi_terminal_text(&safe, (isw_str){ text, size });
    if (iswi_buffer_text(&safe))
        quoted = iswi_arena_printf(&config->arena, "\"%s%s\"", iswi_buffer_text(&safe),
                                   cut ? "..." : "");
    iswi_buffer_fini(&safe);
    return quoted ? quoted : "\"...\"";
}

const char *iswi_config_describe(iswi_config *config, const iswi_node *node)
{
    if (node->type == ISWI_NODE_SCALAR)
        return iswi_node_is_empty(node) ? "empty" : iswi_config_quote(config, node->text);
    return node->type == ISWI_NODE_LIST ? "a list" : "a mapping";
}

const char *iswi_config_nearest(const char *wrong, const char *const *names)
{
    size_t limit = 1 + strlen(wrong) / 4;
    const char *nearest = NULL;

    for (; *names; names++) {
        size_t distance = iswi_edit_distance(wrong, *names);

        /* A distance of the whole name would make any short word near to any other. */
        if (distance <= limit && distance < strlen(*names)) {
            nearest = *names;
            limit = distance ? distance - 1 : 0;
        }
    }
    return nearest;
}
