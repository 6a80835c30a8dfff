/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs of a function, as its program has told them. */
#include "host/operate/check_outputs.h"

/* Why values of an output would go nowhere; ISW_OK if they do not. */
static isw_status try_output(const iswi_sink *sink, const iswi_sink_check *with,
                             const iswi_told_binding *output, isw_error *error)
{
    const void *properties = NULL;
    isw_pairs given;

    if (!iswi_told_pairs(&output->properties, with->arena, &given))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its properties");
    if (iswi_sink_properties(sink, &given, with->arena, &properties, error) != ISW_OK ||
        !sink->check)
        return error->status;
    return sink->check(with, properties, error);
}

bool iswi_told_is_out(const iswi_told_binding *binding)
{
    return binding->direction && strcmp(binding->direction, "in") != 0;
}

/* Whether it has that output, too, and in the same place. */
static bool has_by_name(iswi_sink_list sinks, const iswi_told_function *function, const char *name)
{
    for (size_t i = 0; function && i < function->binding_count; i++) {
        const iswi_told_binding *output = &function->bindings[i];
        const iswi_sink *sink = iswi_sinks_find(sinks, output->type, NULL);

        if (sink && sink->by_name && iswi_told_is_out(output) && strcmp(output->name, name) == 0)
            return true;
    }
    return false;
}

/* One that has the name of one before it. */
static bool is_second(const iswi_told_function *function, const iswi_told_binding *output)
{
    for (const iswi_told_binding *at = function->bindings; at < output; at++)
        if (iswi_told_is_out(at) && strcmp(at->name, output->name) == 0)
            return true;
    return false;
}

static void check_output(iswi_sink_list sinks, const iswi_sink_check *with,
                         const iswi_told_function *function, const iswi_told_binding *output,
                         const iswi_check_namesake *namesake, isw_error *error)
{
    const iswi_sink *sink = iswi_sinks_find(sinks, output->type, NULL);

    if (is_second(function, output)) {
        isw_error_set(error, ISW_E_CONFIG, "the function has another one of that name");
    } else if (!sink) {
        iswi_sinks_find(sinks, output->type, error);
    } else if (try_output(sink, with, output, error) == ISW_OK && sink->by_name &&
               has_by_name(sinks, namesake->function, output->name)) {
        iswi_sink_refuse_namesake(&with->place, namesake->worker, error);
    }
}

void iswi_check_outputs(iswi_sink_list sinks, const iswi_sink_check *with,
                        const iswi_told_function *function,
                        const iswi_check_namesake *namesake, iswi_faults *faults,
                        iswi_faults *notes)
{
    iswi_sink_check own = *with;

    for (size_t i = 0; i < function->binding_count; i++) {
        const iswi_told_binding *binding = &function->bindings[i];
        bool is_out = iswi_told_is_out(binding);
        isw_error error = { ISW_OK, "" };
        bool other;

        own.place.output = binding->name;
        if (iswi_sinks_check_binding(sinks, binding->name, binding->type, is_out, &error) ==
                ISW_OK &&
            is_out)
            check_output(sinks, &own, function, binding, namesake, &error);
        other = error.status == ISW_E_UNSUPPORTED;
        if (error.status != ISW_OK)
            iswi_faults_say(other ? notes : faults, "%s%s %s of function %s of worker %s %s: %s",
                            other ? "note: " : "", is_out ? "output" : "input", binding->name,
                            with->place.function, with->place.worker,
                            is_out ? "goes nowhere" : "stays empty", error.message);
    }
}
