/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes. One thread runs the host, this one waits; the calls are made on the link's thread, by
 * the answer before. Invariant: a slot has at most one call in flight, and its answer alone reads
 * and writes it; answers come one at a time, as one process with one link gives them.
 */
#include "cli/bench_host.h"

#include "host/engine.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READY_MS = 10000 };

static const char key[] = "bench-key";
static const char auth[] =
    "  - auth:\n"
    "      keys:\n"
    "        - name: bench\n"
    "          hash: sha256:4b67f4a0c2b62a93f5eb08e010668e55:"
    "8df66d7d9730c63a558073dc80bb99cb89da50837f34e2176a07290ec1e1f117\n";

/* -- Configuration ----------------------------------------------------------------------------- */

static bool write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fputs(text, file) >= 0;

    if (file)
        ok = fclose(file) == 0 && ok;
    return ok;
}

/* At level debug logging has nothing to say under a host or a terminal that shows info or less. */
bool iswi_bench_write_chain(const char *path, const char *name)
{
    bool chain = strstr(name, "+chain") != NULL;
    char text[1024];

    snprintf(text, sizeof text, "worker: {max_in_flight: %d}\n%s%s", 2 * ISWI_BENCH_WINDOW,
             chain ? "middleware:\n  - error_handling\n  - logging: {level: debug}\n" : "",
             strstr(name, "+auth") ? auth : "");
    return write_text(path, text);
}

static bool write_host(const char *path, const char *lane)
{
    char text[512];

    snprintf(text, sizeof text,
             "host: {function_timeout: 0}\n"
             "http: {enabled: false}\n"
             "logging: {level: warning}\n"
             "workers:\n"
             "  - name: bench\n"
             "    command: [isoworker-bench-worker]\n"
             "    give_up_after: 1\n"
             "    link: {lane: %s}\n",
             lane);
    return write_text(path, text);
}

/* -- Calls ------------------------------------------------------------------------------------- */

typedef struct bench bench;

typedef struct slot {
    bench *owner;
    int64_t started_ns;
} slot;

struct bench {
    char folder[32], host_yaml[48], worker_yaml[48];
    iswi_host *host;
    iswi_host_function *function;
    pthread_t thread;
    bool running; /* the thread is to be joined */
    atomic_bool ended;
    int console;

    isw_data trigger;
    isw_http request; /* what trigger is, if the chain has auth */
    isw_pair header;
    bool with_key;
    unsigned char *bytes;

    slot slots[ISWI_BENCH_WINDOW];
    iswi_bench_samples *samples;
    int64_t until_ns;
    atomic_uint in_flight;
    sem_t none_left;
    bool failed;
    char why[256];
};

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer);

static void start(slot *s)
{
    bench *b = s->owner;
    iswi_call call = { .function = b->function, .trigger = b->trigger, .answer = on_answer,
                       .user = s };

    s->started_ns = iswi_bench_now_ns();
    iswi_call_start(b->host, &call);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    slot *s = user;
    bench *b = s->owner;
    size_t size = isw_data_payload(&answer->result).size;
    bool right = answer->outcome == ISW_OUTCOME_SUCCESS && size == b->samples->payload;

    (void)invocation_id;
    if (right)
        iswi_bench_note(b->samples, iswi_bench_now_ns() - s->started_ns);
    else if (!b->failed)
        snprintf(b->why, sizeof b->why, "%s: %.*s", isw_status_name(answer->status),
                 (int)answer->message.size, answer->message.data);
    b->failed = b->failed || !right;
    iswi_answer_release(answer->held);
    if (!b->failed && b->samples->mode != ISWI_BENCH_SILENCE &&
        !iswi_bench_is_over(b->until_ns))
        start(s);
    else if (atomic_fetch_sub(&b->in_flight, 1) == 1)
        sem_post(&b->none_left);
}

/* Start as many as are to be in flight, and wait until the last answer started no other. */
static bool burst(bench *b, uint32_t count)
{
    struct timespec until;

    atomic_store(&b->in_flight, count);
    for (uint32_t i = 0; i < count; i++)
        start(&b->slots[i]);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30; /* no measurement takes as long */
    while (sem_timedwait(&b->none_left, &until) != 0)
        if (errno != EINTR) {
            snprintf(b->why, sizeof b->why, "an answer did not come");
            b->failed = true;
            break;
        }
    return !b->failed;
}

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    bench *b = user;
    int64_t began = iswi_bench_now_ns();

    b->samples = samples;
    b->until_ns = began + ns;
    b->request.body = (isw_bytes){ b->bytes, samples->payload };
    b->trigger = isw_data_bytes(b->bytes, samples->payload);
    if (b->with_key) {
        b->trigger.type = ISW_DATA_HTTP;
        b->trigger.as.http = &b->request;
    }
    do {
        if (!burst(b, samples->in_flight))
            return false;
        if (samples->mode == ISWI_BENCH_SILENCE)
            iswi_bench_sleep_ns(ISWI_BENCH_SILENCE_NS);
    } while (!iswi_bench_is_over(b->until_ns));
    samples->elapsed_ns = iswi_bench_now_ns() - began;
    return true;
}

static uint32_t window(uint32_t payload)
{
    (void)payload; /* what does not fit waits in the host */
    return ISWI_BENCH_WINDOW;
}

/* -- The host ---------------------------------------------------------------------------------- */

static void *run_host(void *user)
{
    bench *b = user;
    isw_error error = { ISW_OK, "" };

    iswi_host_run(b->host, &error);
    atomic_store(&b->ended, true);
    return NULL;
}

static bool is_ready(bench *b)
{
    b->function = iswi_host_find(b->host, "echo");
    return b->function && atomic_load(&b->function->pool->processes[0].load) != UINT32_MAX;
}

static bool begin(bench *b, const char *name)
{
    iswi_host_overrides overrides = { .port = -1, .json = -1, .output = b->console };
    isw_error error = { ISW_OK, "" };
    bool ready = false;

    if (!write_host(b->host_yaml, strncmp(name, "ring", 4) == 0 ? "ring" : "message") ||
        !iswi_bench_write_chain(b->worker_yaml, name) ||
        iswi_host_create(b->folder, &overrides, &b->host, &error) != ISW_OK) {
        snprintf(b->why, sizeof b->why, "%.*s", (int)sizeof b->why - 1, error.message);
        return false;
    }
    b->running = pthread_create(&b->thread, NULL, run_host, b) == 0;
    for (int i = 0; b->running && i < READY_MS && !ready && !atomic_load(&b->ended); i++) {
        ready = is_ready(b);
        if (!ready)
            iswi_bench_sleep_ns(1000000);
    }
    if (!ready)
        snprintf(b->why, sizeof b->why, "its worker did not become ready");
    return ready;
}

/* What was asked for once more goes with the host: b outlives it. */
static void end(bench *b)
{
    if (b->running) {
        iswi_host_stop(b->host);
        pthread_join(b->thread, NULL);
    }
    iswi_host_destroy(b->host);
    unlink(b->host_yaml);
    unlink(b->worker_yaml);
    rmdir(b->folder);
}

static void say_why(const bench *b, const char *name)
{
    char text[2048];
    ssize_t size = pread(b->console, text, sizeof text, 0);

    fprintf(stderr, "isoworker bench: %s: %s\n%.*s", name, b->why, size > 0 ? (int)size : 0, text);
}

bool iswi_bench_measure_host(const char *name, const iswi_bench_plan *plan)
{
    bench b = { .folder = "/tmp/isoworker-bench-XXXXXX" };
    bool ok;

    b.bytes = calloc(1, ISWI_BENCH_PAYLOAD_MAX);
    b.console = memfd_create("isoworker-bench", MFD_CLOEXEC);
    if (!b.bytes || b.console < 0 || !mkdtemp(b.folder))
        return false;
    snprintf(b.host_yaml, sizeof b.host_yaml, "%s/host.yaml", b.folder);
    snprintf(b.worker_yaml, sizeof b.worker_yaml, "%s/worker.yaml", b.folder);
    sem_init(&b.none_left, 0, 0);
    for (int i = 0; i < ISWI_BENCH_WINDOW; i++)
        b.slots[i].owner = &b;
    b.with_key = strstr(name, "+auth") != NULL;
    b.header = (isw_pair){ isw_str_of("x-functions-key"), isw_str_of(key) };
    b.request = (isw_http){ .method = isw_str_of("POST"), .url = isw_str_of("/api/echo"),
                            .headers = { &b.header, 1 } };
    ok = begin(&b, name) && iswi_bench_carry_out(plan, run, &b, window);
    if (!ok)
        say_why(&b, name);
    end(&b);
    sem_destroy(&b.none_left);
    close(b.console);
    free(b.bytes);
    return ok;
}
