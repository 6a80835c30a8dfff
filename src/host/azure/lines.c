/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the log for the Azure Functions host: those of an invocation are the function's own
 * there, all others are the worker's. It shows the message alone, so that has the fields at its
 * end, beside being told them.
 */
#include "host/azure/internal.h"
#include "host/engine/log.h"

enum { UNSENT_MAX = 64 * 1024 * 1024 };

static void put_fields(iswi_buffer *out, const iswi_logline *line)
{
    iswi_buffer_append(out, line->message.data, line->message.size);
    for (size_t i = 0; i < line->field_count; i++) {
        iswi_buffer_printf(out, " %.*s=", (int)line->fields[i].name.size,
                           line->fields[i].name.data);
        iswi_json_value(out, &line->fields[i].value);
    }
}

/* In the arena; false: no memory. What has no form there is left out. */
static bool list_fields(const iswi_logline *line, iswi_arena *arena, iswi_proto_list *out)
{
    iswi_rpc_named *items = iswi_arena_calloc(arena, line->field_count + 1, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; items && i < line->field_count; i++) {
        iswi_rpc_data *data = iswi_arena_calloc(arena, 1, sizeof *data);

        if (!data)
            return false;
        if (iswi_azure_data(&line->fields[i].value, arena, data, NULL) == ISW_OK)
            items[count++] = (iswi_rpc_named){ .name = line->fields[i].name, .data = data };
    }
    *out = (iswi_proto_list){ items, count };
    return items != NULL;
}

/* As the Azure Functions host calls it, in the arena; empty: it is no invocation of it. */
static isw_str invocation_of(iswi_azure *azure, const iswi_logline *line, iswi_arena *arena)
{
    char key[ISWI_AZURE_KEY_BYTES] = "";
    const iswi_azure_call *call;
    const char *id = NULL;

    if (line->invocation_id.size != sizeof key - 1)
        return isw_str_of(NULL);
    memcpy(key, line->invocation_id.data, sizeof key - 1);
    pthread_mutex_lock(&azure->calls.lock);
    call = iswi_azure_find(&azure->calls, key);
    if (call)
        id = iswi_arena_strndup(arena, call->id, strlen(call->id));
    pthread_mutex_unlock(&azure->calls.lock);
    return isw_str_of(id);
}

static void on_line(void *user, const iswi_logline *line, iswi_speaker speaker)
{
    iswi_azure *azure = user;
    iswi_rpc_log log = { .category = line->category.size ? line->category : line->source,
                         .level = (int32_t)line->level };
    iswi_buffer text = { 0 };
    iswi_arena arena;

    (void)speaker;
    if (iswi_grpc_unsent(azure->grpc) > UNSENT_MAX)
        return; /* nobody reads: the control socket has the last ones */
    iswi_arena_init(&arena, 512);
    put_fields(&text, line);
    log.invocation_id = invocation_of(azure, line, &arena);
    log.log_category = log.invocation_id.size ? 0 : 1;
    log.message = (isw_str){ (const char *)text.data, text.size };
    if (list_fields(line, &arena, &log.fields) && !text.failed)
        iswi_azure_say(azure, &(iswi_rpc_message){ .which = ISWI_RPC_LOG, .as.log = &log });
    iswi_buffer_fini(&text);
    iswi_arena_fini(&arena);
}

isw_status iswi_azure_listen(iswi_azure *azure, isw_error *error)
{
    const iswi_log_sink sink = { .write = on_line, .user = azure };

    return iswi_host_listen(azure->host, &sink, error);
}
