/* SPDX-License-Identifier: Apache-2.0 */
/* An invocation of the Azure Functions host: which function, with what, and by which way. */
#include "host/azure/internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/azure/names.h"
#include "host/engine/look.h"

enum { MOVES_MAX = 8 };

/* -- As a call of ours ------------------------------------------------------------------------- */

static void place(void *user, iswi_process *process, uint64_t id)
{
    iswi_azure_call *call = user;
    iswi_azure_calls *calls = &call->azure->calls;

    pthread_mutex_lock(&calls->lock);
    call->process = process;
    call->place = id;
    pthread_mutex_unlock(&calls->lock);
}

const iswi_call_events iswi_azure_call_events = { .waits = place,
                                                   .placed = place,
                                                   .told = iswi_azure_told };

static void remove_call(iswi_azure_call *call)
{
    iswi_azure_calls *calls = &call->azure->calls;

    pthread_mutex_lock(&calls->lock);
    iswi_azure_find_remove(calls, call);
    pthread_mutex_unlock(&calls->lock);
}

static void start(iswi_azure_call *call);

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_azure_call *call = user;
    isw_error error = { ISW_OK, "" };
    iswi_rpc_data returned = { .which = 0 };
    iswi_answer own = *answer;

    (void)invocation_id;
    if (answer->moved && call->moves++ < MOVES_MAX) {
        iswi_host_function *now = iswi_host_find(call->azure->host, call->name);

        if (now) {
            call->function = now;
            start(call);
            return;
        }
    }
    iswi_azure_judge(call, &own);
    if (own.outcome == ISW_OUTCOME_SUCCESS &&
        iswi_azure_data(&answer->result, &call->arena, &returned, &error) != ISW_OK) {
        own.outcome = ISW_OUTCOME_FAILED;
        own.status = error.status;
        own.message = isw_str_of(error.message);
        own.told = NULL;
    }
    remove_call(call);
    iswi_azure_conclude(call, call->function, &own, false);
    iswi_azure_answer(call, &returned);
    iswi_answer_release(answer->held);
}

/* Its message is the queue's until its function has ended, so that two never have it. */
static void start(iswi_azure_call *call)
{
    const iswi_rpc_invoke *invoke = call->invoke;
    iswi_call one = { .function = call->function,
                      .trigger = call->trigger,
                      .trigger_metadata = call->metadata,
                      .inputs = call->inputs,
                      .request_id = isw_str_of(call->id),
                      .to_its_end = true,
                      .events = &iswi_azure_call_events,
                      .answer = on_answer,
                      .user = call };

    if (invoke->trace)
        one.trace = (iswi_wire_trace){ invoke->trace->parent, invoke->trace->state,
                                       invoke->trace->baggage };
    if (invoke->retry) {
        one.retry.count = invoke->retry->count > 0 ? (uint64_t)invoke->retry->count : 0;
        one.retry.max = invoke->retry->max > 0 ? (uint64_t)invoke->retry->max : 0;
        if (invoke->retry->exception)
            one.retry.last_error = invoke->retry->exception->message;
    }
    iswi_call_start(call->azure->host, &one);
}

/* -- What came --------------------------------------------------------------------------------- */

/* Whether a binding of ours is called so there. */
static bool is_called(isw_str own, isw_str there)
{
    char called[ISWI_AZURE_NAME_BYTES];

    iswi_azure_binding_name(own, called);
    return isw_str_equal(isw_str_of(called), there);
}

/* That of the binding of ours which is called so there. */
static isw_str own_name(const iswi_azure_call *call, isw_str there)
{
    const iswi_description *described = iswi_function_description(call->function);

    for (size_t i = 0; i < described->binding_count; i++)
        if (is_called(described->bindings[i].name, there))
            return described->bindings[i].name;
    return there;
}

/* All of a list but the one at `but`, as values. */
static bool values_of(iswi_azure_call *call, const iswi_proto_list *list, size_t but,
                      isw_map *out)
{
    const iswi_rpc_named *named = list->items;
    isw_named_value *items = iswi_arena_calloc(&call->arena, list->count + 1, sizeof *items);
    size_t count = 0;

    for (size_t i = 0; items && i < list->count; i++) {
        if (i == but)
            continue;
        items[count].name = named[i].name;
        if (!iswi_azure_value(named[i].data, &call->arena, &items[count++].value))
            return false;
    }
    *out = (isw_map){ items, count };
    return items != NULL;
}

/* Which of the inputs is the trigger's: the one of its name, else the first. */
static size_t find_trigger(const iswi_azure_call *call)
{
    const iswi_proto_list *inputs = &call->invoke->inputs;
    const iswi_rpc_named *items = inputs->items;
    const char *name = iswi_function_description(call->function)->trigger_binding;

    for (size_t i = 0; i < inputs->count; i++)
        if (is_called(isw_str_of(name), items[i].name))
            return i;
    return 0;
}

static bool read_inputs(iswi_azure_call *call)
{
    const iswi_proto_list *inputs = &call->invoke->inputs;
    const size_t trigger = find_trigger(call);

    if (trigger < inputs->count &&
        !iswi_azure_value(((const iswi_rpc_named *)inputs->items)[trigger].data, &call->arena,
                          &call->trigger))
        return false;
    if (!values_of(call, inputs, trigger, &call->inputs) ||
        !values_of(call, &call->invoke->metadata, SIZE_MAX, &call->metadata))
        return false;
    for (size_t i = 0; i < call->inputs.count; i++) {
        isw_named_value *one = (isw_named_value *)&call->inputs.items[i];

        one->name = own_name(call, one->name);
    }
    return iswi_azure_event(call);
}

/* The request that came with it; NULL: it comes by itself, or there is none. */
static const iswi_rpc_http *request_of(const iswi_azure_call *call)
{
    const iswi_proto_list *inputs = &call->invoke->inputs;
    const size_t trigger = find_trigger(call);
    const iswi_rpc_data *data =
        trigger < inputs->count ? ((const iswi_rpc_named *)inputs->items)[trigger].data : NULL;

    if (!data || data->which != ISWI_RPC_HTTP || !data->as.http->url.size)
        return NULL;
    return data->as.http;
}

/* -- Which way --------------------------------------------------------------------------------- */

void iswi_azure_refuse(iswi_azure *azure, isw_str id, const char *message)
{
    iswi_rpc_exception exception;
    const iswi_rpc_result result = iswi_azure_failure(&exception, message);
    const iswi_rpc_invoke_done done = { .invocation_id = id, .result = &result };

    iswi_azure_say(azure, &(iswi_rpc_message){ .which = ISWI_RPC_INVOKE_DONE,
                                               .as.invoke_done = &done });
}

/* Add the record, unless its request has come before it and is over: then that is answered. */
static bool add(iswi_azure_call *call, const char **refused)
{
    iswi_azure_calls *calls = &call->azure->calls;
    iswi_azure_call *before;
    bool over;

    pthread_mutex_lock(&calls->lock);
    before = iswi_azure_find(calls, call->key);
    over = before && before->outcome.known;
    *refused = before && before->way != ISWI_AZURE_EARLY ? "an invocation of this id runs" : NULL;
    if (before && !*refused) {
        iswi_azure_find_remove(calls, before);
        call->outputs = over ? NULL : before->outputs;
        before->outputs = over ? before->outputs : NULL;
        call->begun = before->begun;
    }
    if (!*refused && !over)
        iswi_azure_find_add(calls, call);
    pthread_mutex_unlock(&calls->lock);
    if (before && !*refused && over) {
        before->id = call->id; /* which its request has told in other letters, perhaps */
        iswi_azure_answer(before, NULL);
    } else if (before && !*refused) {
        iswi_azure_call_free(before);
    }
    return !*refused && !over;
}

static void run(iswi_azure_call *call)
{
    iswi_azure *azure = call->azure;
    const bool http = iswi_azure_is_http(call->function);
    const iswi_rpc_http *request = http ? request_of(call) : NULL;
    const char *refused;

    call->way = !http ? ISWI_AZURE_CALL : request ? ISWI_AZURE_GUEST : ISWI_AZURE_FORWARD;
    if (call->way == ISWI_AZURE_CALL && !read_inputs(call)) {
        iswi_azure_refuse(call->azure, isw_str_of(call->id), "no memory for its inputs");
        iswi_azure_call_free(call);
        return;
    }
    if (!add(call, &refused)) {
        if (refused)
            iswi_azure_refuse(call->azure, isw_str_of(call->id), refused);
        iswi_azure_call_free(call);
        return;
    }
    if (request)
        iswi_azure_guest(call, request);
    else if (!http)
        start(call);
    else
        iswi_host_tend_by(azure->host, iswi_now_ns() + azure->patience_ns);
}

void iswi_azure_invoke(iswi_azure *azure, iswi_buffer *bytes, iswi_arena *arena,
                       const iswi_rpc_invoke *invoke)
{
    const char *name = iswi_azure_function_of(azure, invoke->function_id);
    iswi_host_function *function = name ? iswi_host_find(azure->host, name) : NULL;
    iswi_azure_call *call = NULL;
    const char *why = NULL;

    if (!name)
        why = "its function was not loaded";
    else if (!function)
        why = "its function is there no more";
    else if (atomic_load(&azure->held))
        why = "the host takes nothing new: it drains, or stops";
    else if (!(call = iswi_azure_call_create(azure, invoke->invocation_id)))
        why = "no memory for an invocation";
    if (why) {
        iswi_azure_refuse(azure, invoke->invocation_id, why);
        return;
    }
    call->name = name;
    call->function = function;
    call->invoke = invoke;
    call->bytes = *bytes;
    *bytes = (iswi_buffer){ 0 };
    iswi_arena_fini(&call->read);
    call->read = *arena;
    iswi_arena_init(arena, 4096);
    run(call);
}

/* -- Cancelled --------------------------------------------------------------------------------- */

/* It may go elsewhere while we look. */
static void leave(iswi_azure *azure, const char *key)
{
    iswi_process *process = NULL;
    uint64_t place = 0;

    for (;;) {
        iswi_process *seen_process = process;
        const uint64_t seen = place;
        iswi_azure_call *call;

        pthread_mutex_lock(&azure->calls.lock);
        call = iswi_azure_find(&azure->calls, key);
        process = call ? call->process : NULL;
        place = call ? call->place : 0;
        pthread_mutex_unlock(&azure->calls.lock);
        if (!process || (process == seen_process && place == seen) ||
            iswi_call_leave(process, place) != ISW_E_NOT_FOUND)
            return;
    }
}

static void say_cancelled(iswi_azure *azure, isw_str id)
{
    const iswi_rpc_result result = { .status = ISWI_RPC_CANCELLED };
    const iswi_rpc_invoke_done done = { .invocation_id = id, .result = &result };

    iswi_azure_say(azure, &(iswi_rpc_message){ .which = ISWI_RPC_INVOKE_DONE,
                                               .as.invoke_done = &done });
}

/* Its request is given up, and it is answered at once: nobody waits for what becomes of it. Of a
 * record that is not over, its end is in joined.c; one without a call gets none any more. */
static void abandon(iswi_azure *azure, iswi_azure_call *call, isw_str id)
{
    iswi_http_guest *guest = call->guest;

    pthread_mutex_lock(&azure->calls.lock);
    iswi_azure_find_abandon(&azure->calls, call);
    if (call->outcome.known || !call->begun) {
        iswi_azure_find_remove(&azure->calls, call);
        iswi_azure_find_bury(&azure->calls, call);
    }
    pthread_mutex_unlock(&azure->calls.lock);
    iswi_http_guest_leave(guest);
    say_cancelled(azure, id);
}

/* Its request is answered at once, and with it the invocation: behind a cancel that host waits for
 * both, and restarts who lets it wait for long. Where there is no call yet, the request may come
 * still, and belongs to nobody then. */
static void give_up(iswi_azure *azure, const char *key, isw_str id)
{
    iswi_azure_call *call;
    bool waits;

    if (iswi_calls_give_up(azure->host, key))
        return;
    pthread_mutex_lock(&azure->calls.lock);
    call = iswi_azure_find(&azure->calls, key);
    waits = call && call->way == ISWI_AZURE_FORWARD;
    if (waits)
        iswi_azure_find_abandon(&azure->calls, call);
    pthread_mutex_unlock(&azure->calls.lock);
    if (waits)
        say_cancelled(azure, id);
}

void iswi_azure_cancel(iswi_azure *azure, isw_str id)
{
    char key[ISWI_AZURE_KEY_BYTES];
    iswi_azure_call *call;
    iswi_azure_way way = ISWI_AZURE_EARLY;
    bool several = false;

    iswi_azure_key(id, key);
    pthread_mutex_lock(&azure->calls.lock);
    call = iswi_azure_find(&azure->calls, key);
    if (call) {
        way = call->way;
        several = call->several;
        call->cancelled = true;
    }
    pthread_mutex_unlock(&azure->calls.lock);
    if (way == ISWI_AZURE_CALL)
        leave(azure, key);
    else if (way == ISWI_AZURE_FORWARD || (way == ISWI_AZURE_GUEST && (several || !call->guest)))
        give_up(azure, key, id); /* or its answer has begun */
    else if (way == ISWI_AZURE_GUEST && call->guest) /* which only this thread ends */
        abandon(azure, call, id);
}
