/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of sinks, before there is a host. Pure. */
#include "host/engine/sink.h"

#include "base/text.h"
#include "config/message.h"
#include "config/properties.h"
#include "host/engine/trigger.h"

enum { KNOWN_MAX = 32 };

/* Whether it is one of them with a slip, which is seldom in the first letter: another host's "blob" is
 * no "log". */
static bool is_slip(const char *type, const char *const *known)
{
    const char *nearest = iswi_config_nearest(type, known);

    return nearest && nearest[0] == type[0];
}

const iswi_sink *iswi_sinks_find(iswi_sink_list list, const char *type, isw_error *error)
{
    const char *known[KNOWN_MAX + 1] = { NULL };
    isw_error own = { ISW_OK, "" };

    for (size_t i = 0; list[i] && i < KNOWN_MAX; i++) {
        if (strcmp(list[i]->type, type) == 0 || strcmp(list[i]->type, "*") == 0)
            return list[i];
        known[i] = list[i]->type;
    }
    iswi_properties_unknown("output of the type", type, "it has ", known, &own);
    isw_error_set(error, is_slip(type, known) ? ISW_E_CONFIG : ISW_E_UNSUPPORTED,
                  "this host has %s", own.message);
    return NULL;
}

isw_status iswi_sinks_check_binding(iswi_sink_list list, const char *name, const char *type,
                                    bool is_out, isw_error *error)
{
    const iswi_sink *sink = is_out ? NULL : iswi_sinks_find(list, type, NULL);

    if (!iswi_binding_name(isw_str_of(name)))
        return isw_error_set(error, ISW_E_CONFIG,
                             "\"%s\" is no name for a binding: a letter or '_', then letters, "
                             "digits, '_', '-' and '.'", name);
    if (is_out || (sink && strcmp(sink->type, "*") == 0))
        return ISW_OK;
    if (sink)
        return isw_error_set(error, ISW_E_CONFIG,
                             "the type \"%s\" is for what functions put out, and its direction "
                             "is in; declare it as an output", type);
    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "this host has no inputs of the type \"%s\"", type);
}

isw_status iswi_sink_refuse_namesake(const iswi_sink_place *place, const char *rival,
                                     isw_error *error)
{
    return isw_error_set(error, ISW_E_CONFLICT,
                         "function %s of worker %s has an output of that name, and both would "
                         "lie in one queue; " ISWI_NAMESAKE_REMEDY ", and start the host again",
                         place->function, rival);
}

isw_status iswi_sink_properties(const iswi_sink *sink, const isw_pairs *given, iswi_arena *arena,
                                const void **out, isw_error *error)
{
    return sink->properties ? iswi_properties_read(sink->properties, sink->properties_size, given,
                                                   arena, out, error)
                            : ISW_OK;
}
