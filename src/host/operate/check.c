/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker check`: what host.yaml says, and each worker by the mouth of its own program. */
#include "host/operate/check.h"

#include "base/alloc.h"
#include "base/text.h"
#include "host/operate/check_program.h"
#include "url/routes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* A function of some worker; the target of its route. */
typedef struct known {
    const char *worker, *name;
} known;

typedef struct checker {
    iswi_check *out;
    iswi_config *config;
    const iswi_host_settings *settings;
    const char *folder;
    iswi_routes *routes;
    iswi_arena arena; /* of all that programs said */
    known **items;
    size_t count, capacity;
    bool complete; /* each worker has told its functions */
} checker;

static void say(iswi_faults *list, const char *format, ...) ISW_PRINTF(2, 3);

static void say(iswi_faults *list, const char *format, ...)
{
    char text[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    iswi_faults_add(list, text);
}

/* -- Functions --------------------------------------------------------------------------------- */

static void add_route(checker *c, known *one, const iswi_told_function *function)
{
    isw_error error = { ISW_OK, "" };
    const known *rival;

    if (strcmp(function->trigger.type, "http") != 0) {
        say(&c->out->notes, "note: function %s of worker %s is not served: this host has no "
            "trigger of the type \"%s\"", one->name, one->worker, function->trigger.type);
        return;
    }
    if (iswi_routes_add(c->routes, function->trigger.methods, function->trigger.route, one,
                        &error) == ISW_OK)
        return;
    rival = error.status == ISW_E_CONFLICT ? iswi_routes_rival(c->routes) : NULL;
    if (rival)
        say(&c->out->faults, "function %s of worker %s is not served beside function %s of worker "
            "%s: %s", one->name, one->worker, rival->name, rival->worker, error.message);
    else
        say(&c->out->faults, "function %s of worker %s is not served: %s", one->name, one->worker,
            error.message);
}

static void add_function(checker *c, const char *worker, const iswi_told_function *function)
{
    known *one = iswi_arena_alloc(&c->arena, sizeof *one);

    if (!one || !iswi_grow(&c->items, &c->capacity, c->count, sizeof *c->items)) {
        say(&c->out->faults, "no memory for functions");
        return;
    }
    *one = (known){ worker, function->name };
    c->items[c->count++] = one;
    add_route(c, one, function);
}

static bool is_matched(const checker *c, const char *pattern)
{
    for (size_t i = 0; i < c->count; i++)
        if (iswi_glob_match(pattern, c->items[i]->name))
            return true;
    return false;
}

/* Settings of functions that there are not. */
static void check_rows(checker *c)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(c->config), "functions");
    const iswi_function_settings *rows = c->settings->functions.items;

    for (size_t i = 0; c->complete && i < c->settings->functions.count; i++)
        if (!is_matched(c, rows[i].name))
            say(&c->out->faults, "%s: no function of any worker matches \"%s\"",
                iswi_config_where(c->config, iswi_node_find(&list->children[i], "name")),
                rows[i].name);
}

/* -- Workers ----------------------------------------------------------------------------------- */

static void check_worker(checker *c, const iswi_worker_settings *worker)
{
    iswi_told told = { .function_count = 0 };
    iswi_program_told came = iswi_check_program(c->folder, worker, &c->arena, &told,
                                                &c->out->faults, &c->out->notes);

    c->complete = c->complete && came == ISWI_PROGRAM_TOLD;
    if (came == ISWI_PROGRAM_MUTE)
        say(&c->out->notes, "note: worker %s does not answer --describe --json, as programs that "
            "link the library do: its functions and its YAML were not looked at", worker->name);
    for (size_t i = 0; came == ISWI_PROGRAM_TOLD && i < told.function_count; i++)
        add_function(c, worker->name, &told.functions[i]);
}

static void check_all(checker *c)
{
    const iswi_worker_settings *workers = c->settings->workers.items;

    iswi_arena_init(&c->arena, 16 * 1024);
    c->routes = iswi_routes_create();
    c->complete = true;
    for (size_t i = 0; c->routes && i < c->settings->workers.count; i++)
        check_worker(c, &workers[i]);
    check_rows(c);
    c->out->workers = c->settings->workers.count;
    c->out->functions = c->count;
    iswi_routes_destroy(c->routes);
    iswi_free(c->items);
    iswi_arena_fini(&c->arena);
}

bool iswi_check_folder(const char *folder, iswi_check *out)
{
    checker c = { .out = out };
    isw_error error = { ISW_OK, "" };
    char path[PATH_MAX];

    *out = (iswi_check){ .workers = 0 };
    c.folder = path;
    if (!realpath(folder, path))
        say(&out->faults, "%s: %s", folder, strerror(errno));
    else if (iswi_host_settings_read(path, &out->faults, &c.config, &c.settings, &error) == ISW_OK)
        check_all(&c);
    else if (!out->faults.count)
        iswi_faults_add(&out->faults, error.message);
    iswi_config_close(c.config);
    return out->faults.count == 0;
}

void iswi_check_fini(iswi_check *check)
{
    iswi_faults_fini(&check->faults);
    iswi_faults_fini(&check->notes);
}
