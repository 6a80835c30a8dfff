/* SPDX-License-Identifier: Apache-2.0 */
/* One program, asked. It gets a socket to dial, where nobody answers: one which does not know the
 * question, and begins to work instead, has come that far when it does, and is ended; at the latest
 * its start_timeout ends it. */
#include "host/operate/check_program.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/system/runtime_folder.h"
#include "host/system/spawn.h"
#include "host/system/unix_socket.h"
#include "value/value.h"
#include "wire/limits.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { OUTPUT_MOST = 16 << 20 };

static const isw_field trigger_fields[] = {
    { ISW_FIELD(STRING, iswi_told_trigger, type), .required = true },
    { ISW_FIELD(STRING, iswi_told_trigger, methods) },
    { ISW_FIELD(STRING, iswi_told_trigger, route) },
    { ISW_FIELD(STRING, iswi_told_trigger, queue) },
    { ISW_FIELD(STRING, iswi_told_trigger, schedule) },
    { ISW_FIELD(STRING, iswi_told_trigger, path) },
    { ISW_FIELD(VALUE, iswi_told_trigger, properties) },
    { 0 },
};

static const isw_field binding_fields[] = {
    { ISW_FIELD(STRING, iswi_told_binding, name), .required = true },
    { ISW_FIELD(STRING, iswi_told_binding, type), .required = true },
    { ISW_FIELD(STRING, iswi_told_binding, direction) },
    { ISW_FIELD(VALUE, iswi_told_binding, properties) },
    { 0 },
};

static const isw_field function_fields[] = {
    { ISW_FIELD(STRING, iswi_told_function, name), .required = true },
    { ISW_FIELD(STRUCT, iswi_told_function, trigger), .fields = trigger_fields, .required = true },
    { ISW_FIELD_LIST(STRUCT, iswi_told_function, bindings, binding_count),
      .fields = binding_fields, .item_size = sizeof(iswi_told_binding) },
    { 0 },
};

static const isw_field told_fields[] = {
    { ISW_FIELD(STRING, iswi_told, isoworker), .required = true },
    { ISW_FIELD_LIST(STRUCT, iswi_told, functions, function_count), .fields = function_fields,
      .item_size = sizeof(iswi_told_function), .required = true },
    { 0 },
};

typedef struct run {
    iswi_spawned os;
    iswi_buffer output, errors;
    int status; /* as waitpid has it */
    bool late, dialled;
    iswi_unix_socket door; /* that it may dial; without a listener if there is none */
    char folder[ISWI_RUNTIME_FOLDER_BYTES];
    int lock;
} run;

/* -- The door ---------------------------------------------------------------------------------- */

/* Without one we do not hear that it works. Another user would not get to it. */
static void open_door(run *r, const iswi_worker_settings *worker)
{
    char path[ISWI_UNIX_PATH_BYTES];

    r->lock = -1;
    r->door.listener = -1;
    if (worker->user || worker->group || iswi_runtime_make(r->folder, &r->lock, NULL) != ISW_OK)
        return;
    snprintf(path, sizeof path, "%s/check", r->folder);
    if (iswi_unix_listen(path, 0600, &r->door, NULL) != ISW_OK)
        r->door.listener = -1;
}

static void close_door(run *r)
{
    if (r->door.listener >= 0)
        iswi_unix_unlisten(&r->door);
    iswi_runtime_remove(r->folder, r->lock);
}

/* -- Running ----------------------------------------------------------------------------------- */

/* The words of the worker, with the question in the place of `run`. */
static isw_option_strings words_of(const iswi_worker_settings *worker, iswi_arena *arena)
{
    size_t count = worker->command.count;
    const char **words = iswi_arena_calloc(arena, count + 3, sizeof *words);

    if (!words)
        return (isw_option_strings){ NULL, 0 };
    memcpy(words, worker->command.items, count * sizeof *words);
    if (count > 1 && strcmp(words[count - 1], "run") == 0)
        count--;
    words[count++] = "--describe";
    words[count++] = "--json";
    return (isw_option_strings){ words, count };
}

/* False: it has been closed. */
static bool take(int fd, iswi_buffer *out)
{
    char block[4096];
    ssize_t got = read(fd, block, sizeof block);

    if (got > 0 && out->size < OUTPUT_MOST)
        iswi_buffer_append(out, block, (size_t)got);
    return got != 0;
}

/* Read both until both are closed and it has ended, or it dials, or is late. */
static void read_all(run *r, int64_t until_ns)
{
    struct pollfd fds[4] = { { .fd = r->os.output, .events = POLLIN },
                             { .fd = r->os.errors, .events = POLLIN },
                             { .fd = r->os.pid_fd, .events = POLLIN },
                             { .fd = r->door.listener, .events = POLLIN } };
    iswi_buffer *out[2] = { &r->output, &r->errors };

    while ((fds[0].fd >= 0 || fds[1].fd >= 0 || fds[2].fd >= 0) && !r->late && !r->dialled) {
        int64_t left_ms = (until_ns - iswi_now_ns()) / 1000000;

        r->late = left_ms <= 0 || poll(fds, 4, (int)left_ms) == 0;
        r->dialled = !r->late && fds[3].revents;
        for (int i = 0; i < 2; i++)
            if (fds[i].fd >= 0 && fds[i].revents && !take(fds[i].fd, out[i]))
                fds[i].fd = -1;
        if (fds[2].fd >= 0 && fds[2].revents)
            fds[2].fd = -1;
    }
}

static bool run_program(const char *folder, const iswi_worker_settings *worker, iswi_arena *arena,
                        run *r, isw_error *error)
{
    static const unsigned char token[2 * ISWI_TOKEN_BYTES];
    const char *directory = worker->directory ? worker->directory : folder;
    isw_option_strings words = words_of(worker, arena);
    char *program = NULL;
    iswi_confinement confinement;
    char url[sizeof r->door.path + sizeof "ipc://"] = "";
    iswi_spawn_options options = { .confinement = &confinement,
                                   .arguments = &words, .directory = directory,
                                   .environment = &worker->environment, .url = url,
                                   .config = worker->config, .token = token,
                                   .token_bytes = sizeof token, .ring = -1, .crash = -1,
                                   .bell = -1,
                                   .arena = -1, .metrics = -1, .store = -1 };

    if (!words.items || iswi_spawn_find(worker->command.items[0], directory, &program, error) !=
                            ISW_OK)
        return false;
    if (r->door.listener >= 0)
        snprintf(url, sizeof url, "ipc://%s", r->door.path);
    options.program = program;
    iswi_worker_confine(worker, &confinement);
    if (iswi_spawn(&options, &r->os, error) != ISW_OK) {
        iswi_free(program);
        return false;
    }
    iswi_free(program);
    read_all(r, iswi_now_ns() + worker->start_timeout_ms * 1000000);
    kill(-r->os.pid, SIGKILL); /* what it left behind, or itself */
    waitpid(r->os.pid, &r->status, 0);
    close(r->os.output);
    close(r->os.errors);
    if (r->os.pid_fd >= 0)
        close(r->os.pid_fd);
    return true;
}

/* -- What it said ------------------------------------------------------------------------------ */

/* Its words as sentences, each with the worker's name. */
static void tell_words(const iswi_worker_settings *worker, iswi_buffer *errors, iswi_faults *list)
{
    iswi_buffer safe = { 0 };
    const char *at = errors->size ? iswi_buffer_text(errors) : NULL;

    while (at && *at) {
        size_t size = strcspn(at, "\n");

        iswi_buffer_reset(&safe);
        iswi_buffer_printf(&safe, "worker %s: ", worker->name);
        iswi_terminal_text(&safe, (isw_str){ at, size });
        if (size && iswi_buffer_text(&safe))
            iswi_faults_add(list, iswi_buffer_text(&safe));
        at += size + (at[size] == '\n');
    }
    iswi_buffer_fini(&safe);
}

/* Behind the `own` ones, of which those without a value are left out. */
static bool take_pairs(const isw_value *properties, const isw_pairs *own, iswi_arena *arena,
                       isw_pairs *out)
{
    const isw_map *map = &properties->as.map;
    bool has_map = properties->type == ISW_VALUE_MAP;
    isw_pair *pairs =
        iswi_arena_calloc(arena, (has_map ? map->count : 0) + own->count + 1, sizeof *pairs);
    size_t count = 0;

    if (!pairs)
        return false;
    for (size_t i = 0; i < own->count; i++)
        if (own->items[i].value.data)
            pairs[count++] = own->items[i];
    for (size_t i = 0; has_map && i < map->count; i++)
        if (map->items[i].value.type == ISW_VALUE_STRING)
            pairs[count++] = (isw_pair){ map->items[i].name, map->items[i].value.as.string };
    *out = (isw_pairs){ pairs, count };
    return true;
}

bool iswi_told_pairs(const isw_value *properties, iswi_arena *arena, isw_pairs *out)
{
    return take_pairs(properties, &(isw_pairs){ NULL, 0 }, arena, out);
}

bool iswi_told_properties(const iswi_told_trigger *trigger, iswi_arena *arena, isw_pairs *out)
{
    const isw_pair own[] = { { isw_str_of("methods"), isw_str_of(trigger->methods) },
                             { isw_str_of("route"), isw_str_of(trigger->route) },
                             { isw_str_of("queue"), isw_str_of(trigger->queue) },
                             { isw_str_of("schedule"), isw_str_of(trigger->schedule) },
                             { isw_str_of("path"), isw_str_of(trigger->path) } };

    return take_pairs(&trigger->properties, &(isw_pairs){ own, sizeof own / sizeof own[0] }, arena,
                      out);
}

static bool understood(const run *r, iswi_arena *arena, iswi_told *out)
{
    isw_error error = { ISW_OK, "" };
    isw_value value;

    return WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0 && r->output.size &&
           iswi_json_parse(arena, (isw_str){ (const char *)r->output.data, r->output.size }, &value,
                           &error) == ISW_OK &&
           iswi_bind(arena, &value, "", told_fields, false, out, &error) == ISW_OK;
}

/* One that does not know our words is mute. */
static bool knows_words(run *r)
{
    const char *words = r->errors.size ? iswi_buffer_text(&r->errors) : "";

    return words && !strstr(words, "--describe") && !strstr(words, "--json");
}

/* A status of those that no host starts again. */
static bool is_wrong(run *r)
{
    int code = WIFEXITED(r->status) && !r->late && !r->dialled ? WEXITSTATUS(r->status) : 0;

    if (code == EX_USAGE)
        return knows_words(r);
    return code == EX_CONFIG || code == EX_NOINPUT || code == 126 || code == 127;
}

/* It ended by itself before it could have served: there was a door, and it has not come. */
static bool is_broken(run *r)
{
    bool by_signal = WIFSIGNALED(r->status) && WTERMSIG(r->status) != SIGKILL; /* which is ours */

    return r->door.listener >= 0 && !r->late && !r->dialled && knows_words(r) &&
           (by_signal || (WIFEXITED(r->status) && WEXITSTATUS(r->status) != 0));
}

/* How it ended, with the last line that may be why: a trace would be many faults. */
static void tell_break(const iswi_worker_settings *worker, run *r, iswi_faults *list)
{
    const char *at = r->errors.size ? iswi_buffer_text(&r->errors) : NULL;
    isw_str why = { "", 0 };
    iswi_buffer line = { 0 };
    bool by_signal = WIFSIGNALED(r->status);

    for (; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
        const isw_str one = { at, strcspn(at, "\n") };

        if (one.size && (!why.size || iswi_may_be_reason(one)))
            why = one;
    }
    iswi_buffer_printf(&line, "worker %s: it %s %d before it serves%s", worker->name,
                       by_signal ? "is ended by signal" : "ends with status",
                       by_signal ? WTERMSIG(r->status) : WEXITSTATUS(r->status),
                       why.size ? ": " : "");
    iswi_terminal_text(&line, why);
    if (iswi_buffer_text(&line))
        iswi_faults_add(list, iswi_buffer_text(&line));
    iswi_buffer_fini(&line);
}

iswi_program_told iswi_check_program(const char *folder, const iswi_worker_settings *worker,
                                     iswi_arena *arena, iswi_told *out, iswi_faults *faults,
                                     iswi_faults *notes)
{
    iswi_program_told told = ISWI_PROGRAM_MUTE;
    isw_error error = { ISW_OK, "" };
    size_t before = faults->count;
    run r = { .late = false };
    bool ran;

    if (iswi_worker_is_remote(worker)) /* nobody here can ask it */
        return told;
    open_door(&r, worker);
    ran = run_program(folder, worker, arena, &r, &error);
    if (ran && understood(&r, arena, out)) {
        told = ISWI_PROGRAM_TOLD;
        tell_words(worker, &r.errors, notes);
    } else if (!ran || is_wrong(&r)) {
        told = ISWI_PROGRAM_WRONG;
        tell_words(worker, &r.errors, faults);
        if (faults->count == before) {
            isw_error_set(&error, ISW_E_CONFIG, "it ends with status %d",
                          ran ? WEXITSTATUS(r.status) : 0);
            iswi_buffer_printf(&r.errors, "%s\n", error.message);
            tell_words(worker, &r.errors, faults);
        }
    } else if (is_broken(&r)) {
        told = ISWI_PROGRAM_WRONG;
        tell_break(worker, &r, faults);
    }
    close_door(&r);
    iswi_buffer_fini(&r.output);
    iswi_buffer_fini(&r.errors);
    return told;
}
