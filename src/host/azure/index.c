/* SPDX-License-Identifier: Apache-2.0 */
/* Functions as the Azure Functions host asks for them: which there are, and that one is to be
 * ready, under a name of its own. We call them as they are called, so that each of several
 * processes that has started this program knows what the first one has told. */
#include "base/alloc.h"
#include "host/azure/internal.h"
#include "host/azure/names.h"
#include "host/engine/log.h"
#include "host/engine/look.h"

#include <stdio.h>

/* -- Which there are --------------------------------------------------------------------------- */

/* Whether it is the Azure Functions host's to trigger; what only its name calls is nobody's, and
 * what a process begins with is ours. */
static bool is_served(const iswi_host_function *function)
{
    iswi_function_look look;

    iswi_function_look_at(function, &look);
    return !look.refused && strcmp(look.trigger_type, "call") != 0 &&
           strcmp(look.trigger_type, "warmup") != 0;
}

static void warn_of_zone(iswi_azure *azure, const iswi_host_function *function)
{
    const iswi_description *described = iswi_function_description(function);
    const isw_str *zone = isw_pairs_find(&described->given, "zone");

    if (strcmp(described->trigger_type, "timer") == 0 && zone && zone->size &&
        !isw_str_equal(*zone, isw_str_of("UTC")))
        iswi_say(azure->host, ISW_LOG_WARNING,
                 "function %s: its schedule is of the zone %.*s; the Azure Functions host has one "
                 "zone for all, which the setting WEBSITE_TIME_ZONE says",
                 iswi_host_function_name(function), (int)zone->size, zone->data);
}

static bool describe(iswi_azure *azure, const iswi_host_function *function, iswi_arena *arena,
                     iswi_rpc_function *out)
{
    const isw_str name = isw_str_of(iswi_host_function_name(function));

    warn_of_zone(azure, function);
    if (!iswi_azure_is_function_name(name.data))
        iswi_say(azure->host, ISW_LOG_WARNING, "function %s: %s", name.data, ISWI_AZURE_NAME_REMEDY);
    *out = (iswi_rpc_function){ .name = name,
                                .function_id = name,
                                .entry_point = name,
                                .script_file = isw_str_of("host.yaml"),
                                .directory = isw_str_of(iswi_host_folder(azure->host)),
                                .language = isw_str_of("isoworker"),
                                .retry = iswi_azure_retries(function, arena) };
    return iswi_azure_bindings(function, arena, &out->raw_bindings);
}

/* In the order in which they were told. False: no memory. */
static bool list(iswi_azure *azure, iswi_arena *arena, iswi_proto_list *out)
{
    const iswi_host_function *newest = iswi_host_newest_function(azure->host);
    iswi_rpc_function *items;
    size_t count = 0;
    size_t at;

    for (const iswi_host_function *one = newest; one; one = iswi_function_before(one))
        count += is_served(one);
    items = iswi_arena_calloc(arena, count + 1, sizeof *items);
    at = count;
    for (const iswi_host_function *one = newest; items && one && at;
         one = iswi_function_before(one))
        if (is_served(one) && !describe(azure, one, arena, &items[--at]))
            return false;
    *out = (iswi_proto_list){ items + at, count - at };
    return items != NULL;
}

bool iswi_azure_index(iswi_azure *azure, isw_str request)
{
    iswi_rpc_exception exception;
    iswi_rpc_result result = { .status = ISWI_RPC_SUCCESS };
    iswi_rpc_index_done done = { .result = &result };
    iswi_rpc_message message = { .request_id = request, .which = ISWI_RPC_INDEX_DONE };
    iswi_arena arena;

    if (!atomic_load(&azure->known))
        return false;
    iswi_arena_init(&arena, 4096);
    if (!list(azure, &arena, &done.functions))
        result = iswi_azure_failure(&exception, "no memory for the list of functions");
    else if (!done.functions.count)
        result = iswi_azure_failure(&exception, "no worker of host.yaml has told of a function "
                                    "that is served; its log says why");
    message.as.index_done = &done;
    iswi_azure_say(azure, &message);
    iswi_arena_fini(&arena);
    return true;
}

/* -- Ready ------------------------------------------------------------------------------------- */

static bool remember(iswi_azure *azure, isw_str id, const char *name)
{
    iswi_azure_loaded *loaded = iswi_calloc(1, sizeof *loaded + id.size + 1);

    if (!loaded)
        return false;
    memcpy(loaded->id, id.data, id.size);
    loaded->name = name;
    loaded->next = azure->loaded;
    azure->loaded = loaded;
    return true;
}

/* NULL: it is loaded, else why not, in `text`. */
static const char *load(iswi_azure *azure, const iswi_rpc_load *asked,
                        char text[ISW_ERROR_MESSAGE_BYTES])
{
    const isw_str name = asked->metadata ? asked->metadata->name : asked->function_id;
    iswi_host_function *function;
    iswi_function_look look;
    char called[256];

    snprintf(called, sizeof called, "%.*s", (int)name.size, name.size ? name.data : "");
    function = iswi_host_find(azure->host, called);
    if (!function) {
        snprintf(text, ISW_ERROR_MESSAGE_BYTES, "no worker of host.yaml has a function \"%s\"",
                 called);
        return text;
    }
    iswi_function_look_at(function, &look);
    if (look.refused)
        return look.unserved ? look.unserved : look.refused;
    return remember(azure, asked->function_id, look.name) ? NULL : "no memory for a function";
}

bool iswi_azure_load(iswi_azure *azure, isw_str request, const iswi_rpc_load *asked)
{
    char text[ISW_ERROR_MESSAGE_BYTES];
    iswi_rpc_exception exception;
    iswi_rpc_result result = { .status = ISWI_RPC_SUCCESS };
    iswi_rpc_load_done done = { .function_id = asked->function_id, .result = &result };
    iswi_rpc_message message = { .request_id = request, .which = ISWI_RPC_LOAD_DONE };
    const char *why;

    if (!atomic_load(&azure->known))
        return false;
    why = load(azure, asked, text);
    if (why)
        result = iswi_azure_failure(&exception, why);
    message.as.load_done = &done;
    iswi_azure_say(azure, &message);
    return true;
}

const char *iswi_azure_function_of(const iswi_azure *azure, isw_str id)
{
    for (const iswi_azure_loaded *at = azure->loaded; at; at = at->next)
        if (isw_str_equal(isw_str_of(at->id), id))
            return at->name;
    return NULL;
}
