/* SPDX-License-Identifier: Apache-2.0 */
/* What functions put out: to the sink of its type. Opened on the supervisor's thread, with the
 * function; used from any; closed at the host's end. */
#include "base/alloc.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum { NOTED_BYTES_MAX = 1024 * 1024 };

static const iswi_host_output *find(const iswi_host_function *function, isw_str name)
{
    for (size_t i = 0; i < function->output_count; i++)
        if (isw_str_equal(isw_str_of(function->outputs[i].name), name))
            return &function->outputs[i];
    return NULL;
}

/* The worker with a function of that name, which is served or is about to be, whose output of that
 * name was opened; NULL: there is none. */
static const char *rival_of(const iswi_host *host, const iswi_host_function *function,
                            const iswi_host_output *output)
{
    for (size_t i = 0; i < host->function_count; i++) {
        const iswi_host_function *other = host->functions[i];
        const iswi_host_output *its = find(other, isw_str_of(output->name));

        if (its && its->sink && its->sink->by_name && other->pool != function->pool &&
            strcmp(other->name, function->name) == 0 &&
            iswi_pool_is(other->pool, ISWI_POOL_HERE) &&
            (atomic_load(&other->current) || atomic_load(&other->pool->joins)))
            return other->pool->settings->name;
    }
    return NULL;
}

/* It is opened, or goes nowhere, as does one that would go where another's goes. */
static void open_alone(iswi_host *host, const iswi_host_function *function,
                       iswi_host_output *output, const iswi_sink *sink, const void *properties,
                       isw_error *error)
{
    const iswi_sink_place place = { function->name, function->pool->settings->name, output->name };
    const char *rival = sink->by_name ? rival_of(host, function, output) : NULL;

    if (rival) {
        iswi_sink_refuse_namesake(&place, rival, error);
        output->refusal = ISW_E_CONFLICT;
    } else if (sink->open(host, &place, properties, &output->self, error) == ISW_OK) {
        output->sink = sink;
    }
}

static void open_output(iswi_host *host, const iswi_host_function *function,
                        iswi_host_output *output, const char *type, const isw_pairs *given,
                        isw_error *error)
{
    const iswi_sink *sink = iswi_sinks_find(host->sinks, type, error);
    const void *properties = NULL;

    if (!sink || iswi_sink_properties(sink, given, &host->arena, &properties, error) != ISW_OK)
        return;
    open_alone(host, function, output, sink, properties, error);
}

/* What is wrong is said now, when somebody looks, and stands in the status; a call that puts anything
 * there fails, since the value would be lost. One that is declared alone, for another host, costs
 * nothing. */
static void say_lost(iswi_host *host, const iswi_host_function *function,
                     iswi_host_output *output, bool is_out, const char *why)
{
    const char *lost = iswi_arena_printf(&host->arena, "%s %s of function %s of worker %s %s: %s",
                                         is_out ? "output" : "input", output->name,
                                         function->name, function->pool->settings->name,
                                         is_out ? "goes nowhere" : "stays empty", why);

    output->lost = lost ? lost : "an output goes nowhere";
    output->refused = lost ? lost + strlen(lost) - strlen(why) : output->lost;
    iswi_say(host, ISW_LOG_WARNING, "%s", output->lost);
}

/* An output, which is among those of the function from now on, or an input, of which there is
 * nothing to be had. */
static void take_binding(iswi_host *host, iswi_host_function *function, iswi_host_output *output,
                         const iswi_wire_binding *binding, const char *type)
{
    bool is_out = binding->direction != 0;
    isw_error error = { ISW_OK, "" };

    output->refusal = ISW_E_FAILED;
    if (is_out && find(function, binding->name)) {
        isw_error_set(&error, ISW_E_CONFIG, "the function has another one of that name");
    } else {
        function->output_count += is_out;
        if (iswi_sinks_check_binding(host->sinks, output->name, type, is_out, &error) == ISW_OK &&
            is_out)
            open_output(host, function, output, type, &binding->properties, &error);
    }
    if (error.status != ISW_OK)
        say_lost(host, function, output, is_out, error.message);
}

bool iswi_outputs_take(iswi_host *host, iswi_host_function *function,
                       const iswi_wire_function *wire)
{
    iswi_host_output *outputs =
        iswi_arena_calloc(&host->arena, wire->bindings.count + 1, sizeof *outputs);

    function->outputs = outputs;
    for (size_t i = 0; outputs && i < wire->bindings.count; i++) {
        const iswi_wire_binding *binding = &wire->bindings.items[i];
        iswi_host_output *output = &outputs[function->output_count];
        const char *type =
            iswi_arena_strndup(&host->arena, binding->type.data, binding->type.size);

        *output = (iswi_host_output){ NULL };
        output->name = iswi_arena_strndup(&host->arena, binding->name.data, binding->name.size);
        if (!type || !output->name)
            return false;
        take_binding(host, function, output, binding, type);
    }
    return outputs != NULL;
}

void iswi_outputs_close(iswi_host *host)
{
    for (size_t i = 0; i < host->function_count; i++)
        for (size_t j = 0; j < host->functions[i]->output_count; j++) {
            const iswi_host_output *output = &host->functions[i]->outputs[j];

            if (output->sink && output->sink->close)
                output->sink->close(output->self);
        }
}

/* One value to a sink that takes it at once. */
static void put(iswi_host *host, const iswi_host_output *output, const iswi_sink_item *item,
                const iswi_about *about)
{
    isw_error error; /* clearing 1 KiB each time shows */

    error.status = ISW_OK;
    if (output->sink->put(output->self, item, &error) != ISW_OK)
        iswi_say_of(host, ISW_LOG_ERROR, about, "output %s of %s: %s", output->name,
                    item->function, error.message);
}

/* An array is one value after the other. */
static size_t value_count(const isw_value *value)
{
    return value->type == ISW_VALUE_ARRAY ? value->as.array.count : 1;
}

static const isw_value *values_of(const isw_value *value)
{
    return value->type == ISW_VALUE_ARRAY ? value->as.array.items : value;
}

void iswi_output_take(iswi_host *host, const iswi_host_function *function,
                      const char *invocation_id, isw_str name, const isw_value *value)
{
    const iswi_host_output *output = find(function, name);
    const iswi_about about = { function->name, invocation_id, { NULL, 0 } };
    iswi_sink_item item = { .function = function->name,
                            .worker = function->pool->settings->name,
                            .invocation_id = invocation_id };

    if (!output) { /* "$settle": said of no message */
        iswi_say_of(host, ISW_LOG_WARNING, &about, "%s has put out \"%.*s\", which nobody heard",
                    function->name, (int)name.size, name.size ? name.data : "");
        return;
    }
    item.output = output->name;
    for (size_t i = 0; i < value_count(value); i++) {
        item.value = &values_of(value)[i];
        put(host, output, &item, &about);
    }
}

/* For who reads of the call's failure elsewhere than in the log, as with a dead message. */
static char *why_not(const iswi_host_output *output, const isw_error *error)
{
    iswi_buffer text = { 0 };
    char *copy = NULL;

    iswi_buffer_printf(&text, "what it put out to %s cannot be kept: %s", output->name,
                       error->message);
    if (!text.failed)
        copy = iswi_strdup(iswi_buffer_text(&text));
    iswi_buffer_fini(&text);
    return copy;
}

static void keep(iswi_host *host, iswi_call *call, const iswi_host_output *output,
                 const isw_value *value)
{
    const iswi_about about = { call->function->name, call->invocation_id, { NULL, 0 } };
    iswi_sink_item item = { .function = call->function->name,
                            .worker = call->function->pool->settings->name,
                            .invocation_id = call->invocation_id,
                            .output = output->name,
                            .trace = call->trace.parent,
                            .request_id = call->request_id };
    isw_error error = { ISW_OK, "" };

    for (size_t i = 0; i < value_count(value) && !call->outbox_status; i++) {
        item.value = &values_of(value)[i];
        call->outbox_status = output->sink->keep(output->self, &item, &call->outbox, &error);
    }
    if (error.status == ISW_OK)
        return;
    call->outbox_why = why_not(output, &error);
    iswi_say_of(host, ISW_LOG_ERROR, &about, "output %s of %s: %s", output->name, item.function,
                error.message);
}

/* Better a call that fails than a value that another's receiver gets, or nobody. An array without
 * members puts nothing. */
static void refuse(iswi_host *host, iswi_call *call, const iswi_host_output *output,
                   const isw_value *value)
{
    const iswi_about about = { call->function->name, call->invocation_id, { NULL, 0 } };
    isw_error error = { ISW_OK, "" };

    if (call->outbox_status || !value_count(value))
        return;
    isw_error_set(&error, output->refusal, "%s", output->refused);
    call->outbox_status = error.status;
    call->outbox_why = why_not(output, &error);
    iswi_say_of(host, ISW_LOG_ERROR, &about, "output %s of %s: %s", output->name,
                call->function->name, output->refused);
}

static void refuse_undeclared(iswi_host *host, iswi_call *call, isw_str name,
                              const isw_value *value)
{
    char text[ISWI_NAME_MAX + 1];
    const iswi_host_output none = { .name = text,
                                    .refused = "its function did not declare it; declare it among "
                                               "the function's outputs",
                                    .refusal = ISW_E_FAILED };

    snprintf(text, sizeof text, "%.*s", (int)name.size, name.size ? name.data : "");
    refuse(host, call, &none, value);
}

/* What an earlier try has put out is none of this one's. */
void iswi_output_note(iswi_call *call, const iswi_output *output)
{
    const iswi_frame frame = { .kind = ISWI_OUTPUT, .as.output = *output };
    isw_error unused;

    if (call->put_out_try != call->tries) {
        iswi_buffer_reset(&call->put_out);
        call->put_out_cut = false;
    }
    call->put_out_try = call->tries;
    if (isw_value_payload(&output->value).size + call->put_out.size > NOTED_BYTES_MAX ||
        iswi_frame_encode(&frame, &call->put_out, &unused) != ISW_OK ||
        call->put_out.size > NOTED_BYTES_MAX)
        call->put_out_cut = true;
}

bool iswi_output_keep(iswi_host *host, iswi_call *call, isw_str name, const isw_value *value)
{
    const iswi_host_output *output = find(call->function, name);
    bool is_own = !output && name.size && name.data[0] == '$'; /* of the protocol: "$settle" */

    if (is_own && call->events && call->events->told)
        call->events->told(call->user, name, value);
    else if (!output && !is_own)
        refuse_undeclared(host, call, name, value);
    else if (output && output->sink && output->sink->keep)
        keep(host, call, output, value);
    else if (output && output->refused)
        refuse(host, call, output, value);
    else
        return false;
    return true;
}
