/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to a file. Invariant: a file is whole when it has its name, for it is written under
 * another one; and there are `keep` of them at most, the oldest goes for the newest. */
#include "host/debug/record.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/engine/call.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/debug/redact.h"
#include "value/typed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAITING_MAX = 1024, WAITING_BYTES = 64 * 1024 * 1024, NAME_BYTES = 224, MEMBERS = 16 };

typedef struct record {
    struct record *next;
    char name[NAME_BYTES];
    iswi_buffer text;
} record;

typedef struct recording {
    iswi_host *host;
    char *folder;
    char (*kept)[NAME_BYTES]; /* names of the files, around in a ring */
    size_t written;           /* since the start; only the thread's */
    bool told_fault;          /* that files cannot be written; only the thread's */
    atomic_size_t dropped;    /* for want of room, of memory, or on the disk */
    pthread_t thread;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    record *first, *last;
    size_t waiting, bytes;
    bool stopping;
} recording;

/* -- As text ----------------------------------------------------------------------------------- */

/* The members of a record; of those that could not be made memory is out. */
typedef struct draft {
    iswi_arena arena;
    iswi_secrets secrets;
    size_t body_limit;
    isw_named_value members[MEMBERS];
    size_t count;
    bool failed;
} draft;

static void add(draft *d, const char *name, isw_value value)
{
    d->members[d->count++] = isw_named(name, value);
}

/* A typed value without secrets, and without a body that is too large: that is said by `cut`. */
static void add_value(draft *d, const char *name, const char *cut, bool streamed,
                      const isw_value *value)
{
    isw_value kept = *value;
    isw_value plain;
    isw_value typed;
    isw_http http;

    if (value->type == ISW_VALUE_HTTP && (value->as.http->body.size > d->body_limit ||
                                          iswi_is_sealed(&d->arena, value->as.http))) {
        http = *value->as.http;
        http.body = (isw_bytes){ "", 0 };
        kept.as.http = &http;
        streamed = true;
    } else if (isw_value_payload(value).size > d->body_limit) {
        kept = isw_value_none();
        streamed = true;
    }
    if (iswi_redact(&d->arena, &kept, &d->secrets, &plain) != ISW_OK ||
        iswi_typed_encode(&d->arena, &plain, &typed) != ISW_OK)
        d->failed = true;
    else
        add(d, name, typed);
    if (streamed)
        add(d, cut, isw_value_bool(true));
}

static void add_trace(draft *d, const iswi_wire_trace *trace)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, 3, sizeof *items);
    isw_value baggage;
    isw_pairs plain;
    isw_str state;

    if (!trace->parent.size && !trace->baggage.count)
        return;
    if (!items || iswi_redact_pairs(&d->arena, &trace->baggage, &d->secrets, &plain) != ISW_OK ||
        iswi_redact_members(&d->arena, trace->state, &d->secrets, &state) != ISW_OK ||
        iswi_typed_encode_pairs(&d->arena, &plain, &baggage) != ISW_OK) {
        d->failed = true;
        return;
    }
    items[0] = isw_named("parent", isw_value_text(trace->parent));
    items[1] = isw_named("state", isw_value_text(state));
    items[2] = isw_named("baggage", baggage);
    add(d, "trace", isw_value_map(items, 3));
}

static void add_failure(draft *d, const iswi_answer *answer)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, 2, sizeof *items);

    if (!items || answer->outcome == ISW_OUTCOME_SUCCESS)
        return;
    items[0] = isw_named("status", isw_value_string(isw_status_name(answer->status)));
    items[1] = isw_named("message", isw_value_text(answer->message));
    add(d, "failure", isw_value_map(items, 2));
}

static void add_outputs(draft *d, const isw_map *outputs)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, outputs->count + 1, sizeof *items);
    isw_value plain;

    for (size_t i = 0; items && i < outputs->count && !d->failed; i++) {
        items[i].name = outputs->items[i].name;
        d->failed =
            iswi_redact(&d->arena, &outputs->items[i].value, &d->secrets, &plain) != ISW_OK ||
            iswi_typed_encode(&d->arena, &plain, &items[i].value) != ISW_OK;
    }
    if (items && outputs->count)
        add(d, "outputs", isw_value_map(items, outputs->count));
}

/* "2026-11-23T10:15:00.123456Z", or for names "20261123T101500.123". */
static void write_time(int64_t wall_us, bool name, char *out, size_t size)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;
    char date[20]; /* as long as a year has four digits */

    gmtime_r(&seconds, &parts);
    strftime(date, sizeof date, name ? "%Y%m%dT%H%M%S" : "%Y-%m-%dT%H:%M:%S", &parts);
    if (name)
        snprintf(out, size, "%s.%03d", date, (int)(wall_us / 1000 % 1000));
    else
        snprintf(out, size, "%s.%06dZ", date, (int)(wall_us % 1000000));
}

static void describe(draft *d, const iswi_call *call, const iswi_answer *answer)
{
    const iswi_host_function *function = call->function;
    char *at = iswi_arena_alloc(&d->arena, 48);
    int64_t timeout_ms = call->deadline_ns ? (call->deadline_ns - call->begun_ns) / 1000000 : 0;

    add(d, "isoworker_record", isw_value_int(1));
    add(d, "function", isw_value_string(iswi_host_function_name(function)));
    add(d, "worker", isw_value_string(iswi_function_worker(function)));
    add(d, "invocation_id", isw_value_string(call->invocation_id));
    if (at)
        write_time(iswi_wall_us(), false, at, 48);
    add(d, "recorded_at", isw_value_string(at ? at : ""));
    add(d, "timeout_ms", isw_value_int(timeout_ms));
    add(d, "tries", isw_value_int(call->tries));
    add_trace(d, &call->trace);
    add_value(d, "trigger", "body_cut", call->body_follows, &call->trigger);
    add(d, "outcome", isw_value_string(iswi_outcome_name(answer->outcome)));
    add_failure(d, answer);
    add_value(d, "result", "result_cut", call->answer_streams, &answer->result);
    add_outputs(d, &answer->outputs);
    add(d, "duration_us", isw_value_int((iswi_now_ns() - call->begun_ns) / 1000));
}

/* A line for each member: people read it, too. */
static bool write_text(draft *d, iswi_buffer *out)
{
    isw_error unused = { ISW_OK, "" };

    for (size_t i = 0; i < d->count; i++) {
        isw_str json;

        if (iswi_json_write(&d->arena, &d->members[i].value, &json, &unused) != ISW_OK)
            json = isw_str_of("null");
        iswi_buffer_printf(out, "%s\n\"%.*s\": %.*s", i ? "," : "{", (int)d->members[i].name.size,
                           d->members[i].name.data, (int)json.size, json.data);
    }
    iswi_buffer_append_text(out, "\n}\n");
    return !out->failed && !d->failed;
}

/* -- The queue --------------------------------------------------------------------------------- */

static void give_up(recording *recorder, record *r)
{
    atomic_fetch_add(&recorder->dropped, 1);
    iswi_buffer_fini(&r->text);
    iswi_free(r);
}

/* Owns the record. */
static void push(recording *recorder, record *r)
{
    bool full;

    pthread_mutex_lock(&recorder->lock);
    full = recorder->waiting >= WAITING_MAX || recorder->bytes + r->text.size > WAITING_BYTES;
    if (!full) {
        *(recorder->last ? &recorder->last->next : &recorder->first) = r;
        recorder->last = r;
        recorder->waiting++;
        recorder->bytes += r->text.size;
        pthread_cond_signal(&recorder->changed);
    }
    pthread_mutex_unlock(&recorder->lock);
    if (full)
        give_up(recorder, r);
}

static void on_answered(void *user, const iswi_call *call, const iswi_answer *answer)
{
    recording *recorder = user;
    const iswi_record_settings *settings = &iswi_host_settings_of(recorder->host)->record;
    record *r = iswi_calloc(1, sizeof *r);
    draft d = { .body_limit = (size_t)settings->body_limit };
    char time[32];

    if (!r || iswi_host_has_unread_secrets(recorder->host)) { /* what is a secret may be news */
        atomic_fetch_add(&recorder->dropped, 1);
        iswi_free(r);
        return;
    }
    d.secrets = (iswi_secrets){ &settings->redact, iswi_host_secrets(recorder->host) };
    iswi_arena_init(&d.arena, 16 * 1024);
    describe(&d, call, answer);
    write_time(iswi_wall_us(), true, time, sizeof time);
    snprintf(r->name, sizeof r->name, "%s-%s-%s.json", time,
             iswi_host_function_name(call->function), call->invocation_id);
    if (write_text(&d, &r->text))
        push(recorder, r);
    else
        give_up(recorder, r);
    iswi_arena_fini(&d.arena);
}

/* -- Files ------------------------------------------------------------------------------------- */

static bool write_file(const recording *recorder, const record *r)
{
    char path[PATH_MAX];
    char hidden[PATH_MAX];
    bool written;
    int fd;

    snprintf(path, sizeof path, "%s/%s", recorder->folder, r->name);
    snprintf(hidden, sizeof hidden, "%s/.%s", recorder->folder, r->name);
    fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    written = write(fd, r->text.data, r->text.size) == (ssize_t)r->text.size;
    written = close(fd) == 0 && written && rename(hidden, path) == 0;
    if (!written)
        unlink(hidden);
    return written;
}

static void keep(recording *recorder, const record *r)
{
    size_t most = (size_t)iswi_host_settings_of(recorder->host)->record.keep;
    char *place = recorder->kept[recorder->written % most];
    char path[PATH_MAX];

    if (!write_file(recorder, r)) {
        if (!recorder->told_fault)
            iswi_say(recorder->host, ISW_LOG_ERROR,
                     "nothing can be recorded in %s: %s", recorder->folder,
                     strerror(errno));
        recorder->told_fault = true;
        atomic_fetch_add(&recorder->dropped, 1);
        return;
    }
    if (*place) {
        snprintf(path, sizeof path, "%s/%s", recorder->folder, place);
        unlink(path);
    }
    memcpy(place, r->name, NAME_BYTES);
    recorder->written++;
}

static void *write_all(void *user)
{
    recording *recorder = user;
    record *r;

    iswi_thread_name("isw-record");
    pthread_mutex_lock(&recorder->lock);
    for (;;) {
        while (!recorder->first && !recorder->stopping)
            pthread_cond_wait(&recorder->changed, &recorder->lock);
        r = recorder->first;
        if (!r)
            break;
        recorder->first = r->next;
        if (!recorder->first)
            recorder->last = NULL;
        recorder->waiting--;
        recorder->bytes -= r->text.size;
        pthread_mutex_unlock(&recorder->lock);
        keep(recorder, r);
        iswi_buffer_fini(&r->text);
        iswi_free(r);
        pthread_mutex_lock(&recorder->lock);
    }
    pthread_mutex_unlock(&recorder->lock);
    return NULL;
}

/* -- Life -------------------------------------------------------------------------------------- */

static void destroy(recording *recorder)
{
    pthread_cond_destroy(&recorder->changed);
    pthread_mutex_destroy(&recorder->lock);
    iswi_free(recorder->folder);
    iswi_free(recorder->kept);
    iswi_free(recorder);
}

/* Write what waits, and say how much there was. */
static void stop(void *user)
{
    recording *recorder = user;
    size_t dropped;

    pthread_mutex_lock(&recorder->lock);
    recorder->stopping = true;
    pthread_cond_signal(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
    pthread_join(recorder->thread, NULL);
    dropped = atomic_load(&recorder->dropped);
    iswi_say(recorder->host, dropped ? ISW_LOG_WARNING : ISW_LOG_INFO,
             "%zu invocation%s recorded in %s, %zu dropped", recorder->written,
             recorder->written == 1 ? "" : "s", recorder->folder, dropped);
    destroy(recorder);
}

static const iswi_observer observer = { .answered = on_answered, .destroy = stop };

isw_status iswi_record_attach(iswi_host *host, const char *folder, isw_error *error)
{
    recording *recorder;

    if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || access(folder, W_OK | X_OK) != 0)
        return isw_error_set(error, ISW_E_IO, "nothing can be recorded in %s: %s", folder,
                             strerror(errno));
    recorder = iswi_calloc(1, sizeof *recorder);
    if (!recorder)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to record");
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->changed, NULL);
    recorder->host = host;
    recorder->folder = iswi_strdup(folder);
    recorder->kept = iswi_calloc((size_t)iswi_host_settings_of(host)->record.keep, NAME_BYTES);
    if (!recorder->folder || !recorder->kept ||
        pthread_create(&recorder->thread, NULL, write_all, recorder) != 0) {
        destroy(recorder);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory to record");
    }
    if (iswi_host_observe(host, &observer, recorder, error) != ISW_OK) {
        stop(recorder);
        return error->status;
    }
    return ISW_OK;
}
