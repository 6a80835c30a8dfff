/* SPDX-License-Identifier: Apache-2.0 */
/* --describe and --check: what a worker is, for people and for programs. */
#include "worker/program/program.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* -- For people -------------------------------------------------------------------------------- */

static void print_trigger(const isw_function *function)
{
    const isw_trigger *trigger = &function->trigger;
    const char *route;

    printf("  %-24s %s", function->name, trigger->type);
    if (strcmp(trigger->type, "http") == 0)
        printf(" %s", trigger->methods && *trigger->methods ? trigger->methods : "*");
    if (iswi_trigger_route_name(function, &route))
        printf(" %s", route);
    for (const isw_property *row = trigger->properties; row && row->name; row++)
        printf(" %s=%s", row->name, row->value);
    printf("\n");
}

static void print_bindings(const isw_function *function)
{
    static const char *const directions[] = { "in", "out", "in and out" };

    for (const isw_binding *at = function->bindings; at && at->name; at++) {
        printf("      %s: %s (%s)", directions[at->direction], at->name, at->type);
        for (const isw_property *row = at->properties; row && row->name; row++)
            printf(" %s=%s", row->name, row->value);
        printf("\n");
    }
}

static void print_chain(const iswi_chain *chain)
{
    printf("      chain: ");
    for (size_t i = 0; i < chain->count; i++) {
        printf("%s", iswi_step_name(&chain->steps[i]));
        if (chain->steps[i].header)
            printf(" [header %s]", chain->steps[i].header);
        printf(" > ");
    }
    printf("handler\n");
}

static void print_function(const iswi_bound *bound)
{
    const isw_function *function = bound->function;

    print_trigger(function);
    if (function->summary)
        printf("      %s\n", function->summary);
    print_chain(&bound->chain);
    print_bindings(function);
    for (const isw_property *row = function->metadata; row && row->name; row++)
        printf("      %s: %s\n", row->name, row->value);
    if (function->timeout_ms)
        printf("      timeout: %u ms\n", (unsigned)function->timeout_ms);
}

static void print_service(const isw_service *service)
{
    static const char *const lifetimes[] = {
        [ISW_SINGLETON] = "one, made at its first use",
        [ISW_PER_INVOCATION] = "one for each invocation",
        [ISW_PER_CALL] = "one for each call",
        [ISW_EAGER_SINGLETON] = "one, made at the start",
        [ISW_HEALTH_CHECK] = "a health check",
        [ISW_PRELOADED_SINGLETON] = "one, made at the start or before a fork",
    };

    printf("  %-24s %s%s%s", service->name, service->type ? service->type : "",
           service->type ? ": " : "", lifetimes[service->lifetime]);
    for (const char *const *need = service->needs; need && *need; need++)
        printf("%s%s", need == service->needs ? "; needs " : ", ", *need);
    printf("\n");
}

static void print_services(const iswi_services *services)
{
    size_t count = iswi_services_count(services);

    if (count)
        printf("\nservices (%zu):\n", count);
    for (size_t i = 0; i < count; i++)
        print_service(iswi_services_at(services, i));
}

static int describe_to_people(isw_worker *worker)
{
    iswi_generation *generation = iswi_generation_take(worker);
    iswi_buffer reference = { 0 };

    if (worker->function_count)
        printf("functions (%zu):\n", worker->function_count);
    for (size_t i = 0; i < worker->function_count; i++)
        print_function(&generation->functions[i]);
    iswi_generation_drop(generation);
    print_services(worker->shared.services);
    printf("%sconfiguration (YAML):\n", worker->function_count ? "\n" : "");
    if (iswi_worker_reference(worker, &reference) == ISW_OK && iswi_buffer_text(&reference))
        fputs(iswi_buffer_text(&reference), stdout);
    printf("`isoworker explain NAME` prints the options of a middleware.\n");
    iswi_buffer_fini(&reference);
    return EX_OK;
}

/* -- For programs ------------------------------------------------------------------------------ */

/* ,"name":"text"; nothing for NULL. */
static void add_text(iswi_buffer *out, const char *name, const char *text)
{
    if (!text)
        return;
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, isw_str_of(text));
}

static void add_properties(iswi_buffer *out, const char *name, const isw_property *list)
{
    if (!list || !list->name)
        return;
    iswi_buffer_printf(out, ",\"%s\":{", name);
    for (const isw_property *row = list; row->name; row++) {
        if (row != list)
            iswi_buffer_append_text(out, ",");
        iswi_json_string(out, isw_str_of(row->name));
        iswi_buffer_append_text(out, ":");
        iswi_json_string(out, isw_str_of(row->value));
    }
    iswi_buffer_append_text(out, "}");
}

static void add_trigger(iswi_buffer *out, const isw_function *function)
{
    const isw_trigger *trigger = &function->trigger;
    const char *route;
    const char *name = iswi_trigger_route_name(function, &route);

    iswi_buffer_append_text(out, ",\"trigger\":{\"type\":");
    iswi_json_string(out, isw_str_of(trigger->type));
    add_text(out, "binding", trigger->binding);
    if (strcmp(trigger->type, "http") == 0)
        add_text(out, "methods", trigger->methods ? trigger->methods : "");
    if (name)
        add_text(out, name, route);
    add_properties(out, "properties", trigger->properties);
    iswi_buffer_append_text(out, "}");
}

static void add_bindings(iswi_buffer *out, const isw_function *function)
{
    static const char *const directions[] = { "in", "out", "inout" };

    iswi_buffer_append_text(out, ",\"bindings\":[");
    for (const isw_binding *at = function->bindings; at && at->name; at++) {
        iswi_buffer_append_text(out, at == function->bindings ? "{\"name\":" : ",{\"name\":");
        iswi_json_string(out, isw_str_of(at->name));
        add_text(out, "type", at->type);
        add_text(out, "direction", directions[at->direction]);
        add_properties(out, "properties", at->properties);
        iswi_buffer_append_text(out, "}");
    }
    iswi_buffer_append_text(out, "]");
}

static void add_chain(iswi_buffer *out, const iswi_chain *chain)
{
    iswi_buffer_append_text(out, ",\"chain\":[");
    for (size_t i = 0; i < chain->count; i++) {
        iswi_buffer_append_text(out, i ? ",{\"name\":" : "{\"name\":");
        iswi_json_string(out, isw_str_of(iswi_step_name(&chain->steps[i])));
        add_text(out, "header", chain->steps[i].header);
        iswi_buffer_append_text(out, "}");
    }
    iswi_buffer_append_text(out, "]");
}

static void add_function(iswi_buffer *out, const iswi_bound *bound)
{
    const isw_function *function = bound->function;

    iswi_buffer_append_text(out, "{\"name\":");
    iswi_json_string(out, isw_str_of(function->name));
    add_text(out, "summary", function->summary);
    add_trigger(out, function);
    add_bindings(out, function);
    add_properties(out, "metadata", function->metadata);
    iswi_buffer_printf(out, ",\"timeout_ms\":%u,\"idempotent\":%s,\"streams\":%s",
                       (unsigned)function->timeout_ms, function->idempotent ? "true" : "false",
                       function->streams ? "true" : "false");
    add_chain(out, &bound->chain);
    iswi_buffer_append_text(out, "}");
}

static void add_service(iswi_buffer *out, const isw_service *service)
{
    static const char *const lifetimes[] = { [ISW_SINGLETON] = "singleton",
                                             [ISW_PER_INVOCATION] = "per_invocation",
                                             [ISW_PER_CALL] = "per_call",
                                             [ISW_EAGER_SINGLETON] = "eager_singleton",
                                             [ISW_HEALTH_CHECK] = "health_check",
                                             [ISW_PRELOADED_SINGLETON] = "preloaded_singleton" };

    iswi_buffer_append_text(out, "{\"name\":");
    iswi_json_string(out, isw_str_of(service->name));
    add_text(out, "type", service->type);
    add_text(out, "lifetime", lifetimes[service->lifetime]);
    iswi_buffer_append_text(out, ",\"needs\":[");
    for (const char *const *need = service->needs; need && *need; need++) {
        iswi_buffer_append_text(out, need == service->needs ? "" : ",");
        iswi_json_string(out, isw_str_of(*need));
    }
    iswi_buffer_append_text(out, "]}");
}

static void add_services(iswi_buffer *out, const iswi_services *services)
{
    size_t count = iswi_services_count(services);

    iswi_buffer_append_text(out, ",\"services\":[");
    for (size_t i = 0; i < count; i++) {
        iswi_buffer_append_text(out, i ? ",\n" : "\n");
        add_service(out, iswi_services_at(services, i));
    }
    iswi_buffer_append_text(out, "]");
}

static int describe_to_programs(isw_worker *worker)
{
    iswi_generation *generation = iswi_generation_take(worker);
    iswi_buffer out = { 0 };
    bool written;

    iswi_buffer_printf(&out, "{\"isoworker\":\"%s\",\"concurrency\":%lld,\"functions\":[",
                       ISW_VERSION_STRING, (long long)worker->settings.concurrency);
    for (size_t i = 0; i < worker->function_count; i++) {
        iswi_buffer_append_text(&out, i ? ",\n" : "\n");
        add_function(&out, &generation->functions[i]);
    }
    iswi_generation_drop(generation);
    iswi_buffer_append_text(&out, "]");
    add_services(&out, worker->shared.services);
    iswi_buffer_append_text(&out, "}\n");
    written = !out.failed && fwrite(out.data, 1, out.size, stdout) == out.size;
    iswi_buffer_fini(&out);
    return written ? EX_OK : EX_IOERR;
}

int iswi_program_describe(isw_worker *worker, bool json)
{
    int code = iswi_program_configure(worker);

    if (code != EX_OK)
        return code;
    iswi_program_warn(worker);
    return json ? describe_to_programs(worker) : describe_to_people(worker);
}

static void print_hooks(const iswi_services *services, isw_lifetime lifetime, const char *what,
                        const char *more)
{
    size_t count = 0;

    for (size_t i = 0; i < iswi_services_count(services); i++)
        count += iswi_services_at(services, i)->lifetime == lifetime;
    if (count)
        printf(", %zu %s%s%s", count, what, count == 1 ? "" : "s", more);
}

int iswi_program_check(isw_worker *worker)
{
    int code = iswi_program_configure(worker);
    size_t warnings;

    if (code != EX_OK)
        return code;
    warnings = iswi_program_warn(worker);
    printf("the configuration is right: %zu function%s", worker->function_count,
           worker->function_count == 1 ? "" : "s");
    print_hooks(worker->shared.services, ISW_EAGER_SINGLETON, "service", " made at the start");
    print_hooks(worker->shared.services, ISW_HEALTH_CHECK, "health check", "");
    if (warnings)
        printf(", %zu warning%s", warnings, warnings > 1 ? "s" : "");
    printf("\n");
    return EX_OK;
}
