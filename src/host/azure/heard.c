/* SPDX-License-Identifier: Apache-2.0 */
/* What the Azure Functions host says, message by message. */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/azure/internal.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/steer.h"

#include <stdio.h>
#include <stdlib.h>

enum { GRACE_S = 5, LEFT_GRACE_S = 2, CAPABILITIES_MAX = 16 };

#define SECOND_NS INT64_C(1000000000)

/* -- Who is here ------------------------------------------------------------------------------- */

/* What is promised here is kept, by tests/integration/azure.py. Each is there or not: what it says
 * does not count. */
static size_t list_capabilities(const iswi_azure *azure, isw_pair out[CAPABILITIES_MAX])
{
    static const char *const names[] = {
        "RawHttpBodyBytes", "RpcHttpBodyOnly", "RpcHttpTriggerMetadataRemoved",
        "UseNullableValueDictionaryForHttp", "TypedDataCollection",
        "IncludeEmptyEntriesInMessagePayload", "WorkerStatus", "HandlesWorkerTerminateMessage",
        "HandlesInvocationCancelMessage", "EnableUserCodeException",
    };
    const char *url = azure->host && azure->options.forwards ? iswi_host_address(azure->host, 0)
                                                             : NULL;
    size_t count = 0;

    for (; count < sizeof names / sizeof names[0]; count++)
        out[count] = (isw_pair){ isw_str_of(names[count]), isw_str_of("true") };
    if (url)
        out[count++] = (isw_pair){ isw_str_of("HttpUri"), isw_str_of(url) };
    return count;
}

static iswi_rpc_runtime runtime(void)
{
    return (iswi_rpc_runtime){ .name = isw_str_of("isoworker"),
                               .version = isw_str_of(isw_version()),
                               .worker_version = isw_str_of(isw_version()),
                               .bitness = isw_str_of(sizeof(void *) == 8 ? "64" : "32") };
}

static void on_init(iswi_azure *azure, isw_str request)
{
    const iswi_rpc_runtime metadata = runtime();
    const iswi_rpc_result result = { .status = ISWI_RPC_SUCCESS };
    isw_pair capabilities[CAPABILITIES_MAX];
    const iswi_rpc_init_done done = { .worker_version = metadata.worker_version,
                                      .capabilities = { capabilities,
                                                        list_capabilities(azure, capabilities) },
                                      .result = &result,
                                      .metadata = &metadata };

    iswi_azure_say(azure, &(iswi_rpc_message){ .request_id = request,
                                               .which = ISWI_RPC_INIT_DONE,
                                               .as.init_done = &done });
}

static void on_status(iswi_azure *azure, isw_str request)
{
    static const iswi_rpc_nothing nothing;

    iswi_azure_say(azure, &(iswi_rpc_message){ .request_id = request,
                                               .which = ISWI_RPC_STATUS_DONE,
                                               .as.nothing = &nothing });
}

/* There is nothing to warm up before an app is known: a host starts in milliseconds. */
static void on_warmup(iswi_azure *azure, isw_str request)
{
    const iswi_rpc_result result = { .status = ISWI_RPC_SUCCESS };
    const iswi_rpc_warmup_done done = { .result = &result };

    iswi_azure_say(azure, &(iswi_rpc_message){ .request_id = request,
                                               .which = ISWI_RPC_WARMUP_DONE,
                                               .as.warmup_done = &done });
}

/* -- Which app --------------------------------------------------------------------------------- */

static bool take_variables(const isw_pairs *variables)
{
    char *name, *value;
    bool fine = true;

    for (size_t i = 0; fine && i < variables->count; i++) {
        name = iswi_strndup(variables->items[i].name.data, variables->items[i].name.size);
        value = iswi_strndup(variables->items[i].value.data, variables->items[i].value.size);
        fine = name && value && setenv(name, value, 1) == 0;
        iswi_free(name);
        iswi_free(value);
    }
    return fine;
}

static void answer_environment(iswi_azure *azure, isw_str request, const char *why)
{
    const iswi_rpc_runtime metadata = runtime();
    iswi_rpc_exception exception;
    isw_pair capabilities[CAPABILITIES_MAX];
    const iswi_rpc_result result =
        why ? iswi_azure_failure(&exception, why)
            : (iswi_rpc_result){ .status = ISWI_RPC_SUCCESS };
    const iswi_rpc_environment_done done = {
        .metadata = &metadata,
        .capabilities = { capabilities, list_capabilities(azure, capabilities) },
        .result = &result
    };

    iswi_azure_say(azure, &(iswi_rpc_message){ .request_id = request,
                                               .which = ISWI_RPC_ENVIRONMENT_DONE,
                                               .as.environment_done = &done });
}

void iswi_azure_has_app(iswi_azure *azure, const char *why)
{
    if (!azure->told_app)
        return;
    answer_environment(azure, isw_str_of(azure->told_app), why);
    iswi_free(azure->told_app);
    azure->told_app = NULL;
}

/* Of a placeholder, which has no thread beside this one; else its processes would have to be
 * started anew, which the Azure Functions host does when it is told no. Where requests are forwarded to
 * is known when the app is served. */
static void on_environment(iswi_azure *azure, isw_str request, const iswi_rpc_environment *asked)
{
    const isw_str folder = asked->function_app_directory;

    if (azure->host || azure->specialised) {
        answer_environment(azure, request, "this process serves an app already");
        return;
    }
    azure->told_app = iswi_strndup(request.size ? request.data : "", request.size);
    azure->specialised = azure->told_app && take_variables(&asked->variables) &&
                         (!folder.size ||
                          (azure->app_folder = iswi_strndup(folder.data, folder.size)) != NULL);
    if (!azure->told_app)
        answer_environment(azure, request, "no memory for its environment");
    else if (!azure->specialised)
        iswi_azure_has_app(azure, "no memory for its environment");
}

/* -- The end ----------------------------------------------------------------------------------- */

/* What is in flight may go on for a while, is then cancelled, and in the end not waited for. */
static void on_hurry(iswi_timer *timer)
{
    iswi_azure *azure = (iswi_azure *)((char *)timer - offsetof(iswi_azure, hurry));

    iswi_host_stop(azure->host);
    if (++azure->hurries < 2)
        iswi_reactor_set_timer(azure->reactor, &azure->hurry,
                               iswi_now_ns() + azure->grace_ns * 3 / 10);
    else
        azure->keeps_time = false;
}

static void stop(iswi_azure *azure, int64_t grace_ns)
{
    atomic_store(&azure->ended, true);
    if (!azure->host || azure->keeps_time)
        return;
    azure->grace_ns = grace_ns;
    azure->keeps_time = true;
    azure->hurry.due = on_hurry;
    iswi_host_stop(azure->host);
    iswi_reactor_set_timer(azure->reactor, &azure->hurry, iswi_now_ns() + grace_ns * 6 / 10);
}

static void on_terminate(iswi_azure *azure, const iswi_rpc_terminate *asked)
{
    const iswi_rpc_duration *grace = asked->grace;

    azure->dismissed = true;
    stop(azure, grace && grace->seconds >= 0 && grace->seconds < 3600
                    ? grace->seconds * SECOND_NS + grace->nanos
                    : GRACE_S * SECOND_NS);
}

static void on_ended(void *user, const isw_error *why)
{
    iswi_azure *azure = user;

    if (azure->dismissed)
        return;
    azure->why = *why;
    if (azure->host)
        iswi_say(azure->host, ISW_LOG_ERROR, "the Azure Functions host at %s is gone: %s",
                 azure->options.server, why->message);
    stop(azure, LEFT_GRACE_S * SECOND_NS);
}

/* -- Messages ---------------------------------------------------------------------------------- */

/* Functions are not known yet: it is heard again when they are. */
static void ask_later(iswi_azure *azure, iswi_buffer *bytes)
{
    iswi_azure_asked *asked = iswi_calloc(1, sizeof *asked);

    azure->specialised = true; /* who asks for functions has the app in place */
    if (!asked)
        return;
    asked->bytes = *bytes;
    *bytes = (iswi_buffer){ 0 };
    *azure->asked_end = asked;
    azure->asked_end = &asked->next;
}

static void hear(iswi_azure *azure, iswi_buffer *bytes, iswi_arena *arena,
                 const iswi_rpc_message *message)
{
    switch ((int)message->which) {
    case ISWI_RPC_INVOKE:
        if (azure->host)
            iswi_azure_invoke(azure, bytes, arena, message->as.invoke);
        else
            ask_later(azure, bytes);
        break;
    case ISWI_RPC_CANCEL:
        iswi_azure_cancel(azure, message->as.cancel->invocation_id);
        break;
    case ISWI_RPC_INDEX:
        if (!azure->host || !iswi_azure_index(azure, message->request_id))
            ask_later(azure, bytes);
        break;
    case ISWI_RPC_LOAD:
        if (!azure->host || !iswi_azure_load(azure, message->request_id, message->as.load))
            ask_later(azure, bytes);
        break;
    case ISWI_RPC_INIT:
        on_init(azure, message->request_id);
        break;
    case ISWI_RPC_STATUS:
        on_status(azure, message->request_id);
        break;
    case ISWI_RPC_WARMUP:
        on_warmup(azure, message->request_id);
        break;
    case ISWI_RPC_ENVIRONMENT:
        on_environment(azure, message->request_id, message->as.environment);
        break;
    case ISWI_RPC_TERMINATE:
        on_terminate(azure, message->as.terminate);
        break;
    default: /* what is not known needs no answer */
        break;
    }
}

static void complain(const iswi_azure *azure, const char *what, const char *why)
{
    if (azure->host)
        iswi_say(azure->host, ISW_LOG_ERROR, "the Azure Functions host sent %s: %s", what, why);
    else
        fprintf(stderr, "isoworker: the Azure Functions host sent %s: %s\n", what, why);
}

static void on_message(void *user, iswi_buffer *bytes)
{
    iswi_azure *azure = user;
    isw_error error = { ISW_OK, "" };
    iswi_rpc_message message;
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    if (iswi_proto_read(&iswi_rpc_message_table, (isw_bytes){ bytes->data, bytes->size }, &arena,
                        &message, &error) == ISW_OK)
        hear(azure, bytes, &arena, &message);
    else
        complain(azure, "what is no message", error.message);
    iswi_arena_fini(&arena);
}

/* The id of an invocation is the first that stands in it, so that whoever sent it hears of it. */
static void on_too_large(void *user, uint64_t size, isw_bytes begin)
{
    iswi_azure *azure = user;
    const isw_bytes invoke = iswi_proto_peek(begin, ISWI_RPC_INVOKE);
    const isw_bytes id = iswi_proto_peek(invoke, 1);
    char text[256];

    snprintf(text, sizeof text, "a message of %llu bytes is more than the %llu that are taken; "
             "keep large data elsewhere, or let HTTP be forwarded", (unsigned long long)size,
             (unsigned long long)ISWI_AZURE_MESSAGE_MAX);
    complain(azure, "too much", text);
    if (id.size)
        iswi_azure_refuse(azure, (isw_str){ id.data, id.size }, text);
}

const iswi_grpc_events iswi_azure_events = { .message = on_message,
                                             .too_large = on_too_large,
                                             .ended = on_ended };

void iswi_azure_look_again(iswi_azure *azure)
{
    iswi_azure_asked *asked = azure->asked;

    azure->asked = NULL;
    azure->asked_end = &azure->asked;
    while (asked) {
        iswi_azure_asked *next = asked->next;

        on_message(azure, &asked->bytes);
        iswi_buffer_fini(&asked->bytes);
        iswi_free(asked);
        asked = next;
    }
}
