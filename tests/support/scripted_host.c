/* SPDX-License-Identifier: Apache-2.0 */
/* A host by hand: the other end of a memory or ring lane, with what came from it in a list. */
#include "support/scripted_host.h"

#include "support/main.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

const unsigned char scripted_token[2 * ISWI_TOKEN_BYTES] =
    "the worker's half, of 32 bytes..and this is the half of the host";

typedef struct received {
    struct received *next;
    iswi_message *message; /* holds what the frame points to */
    iswi_frame frame;
} received;

/* -- Events ------------------------------------------------------------------------------------ */

/* With the lock. Returns how many bytes the frame had, 0 if it was none. */
static size_t add_frame(scripted_host *host, iswi_message *message, isw_bytes bytes)
{
    received *one = calloc(1, sizeof *one);
    isw_error error = { ISW_OK, "" };
    size_t used = 0;

    one->message = iswi_message_keep(message, &bytes);
    if (iswi_frame_decode_apart(bytes, iswi_message_apart(one->message), &host->arena, &one->frame,
                                &used, &error) != ISW_OK) {
        host->broken = "the worker sent what is no frame";
        iswi_message_release(one->message);
        free(one);
        return 0;
    }
    if (host->last)
        host->last->next = one;
    else
        host->first = one;
    host->last = one;
    return used;
}

static void on_message(void *user, iswi_message *message)
{
    scripted_host *host = user;
    isw_bytes bytes = message->bytes;

    pthread_mutex_lock(&host->lock);
    while (bytes.size) {
        size_t used = add_frame(host, message, bytes);

        if (!used)
            break;
        bytes.data = (const char *)bytes.data + used;
        bytes.size -= used;
    }
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

static void on_closed(void *user)
{
    scripted_host *host = user;

    pthread_mutex_lock(&host->lock);
    host->closed = true;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

/* -- Life -------------------------------------------------------------------------------------- */

static isw_status connect_ends(void *user, const iswi_link_events *events, iswi_link **out,
                               isw_error *error)
{
    scripted_host *host = user;
    iswi_link_events own = { .on_message = on_message, .on_closed = on_closed, .user = host };

    return iswi_memory_lane_pair(&own, &host->link, events, out, error);
}

static isw_status connect_rings(void *user, const iswi_link_events *events, iswi_link **out,
                                isw_error *error)
{
    scripted_host *host = user;
    iswi_link_events own = { .on_message = on_message, .on_closed = on_closed, .user = host };
    iswi_ring_options down = { .is_host = true, .spin_us = -1 };
    iswi_ring_options up = { .spin_us = -1 };
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    isw_status status;
    char url[64];
    int fd;

    assert_true(bell >= 0);
    strcpy(host->folder, "/tmp/isw-host-XXXXXX");
    assert_non_null(mkdtemp(host->folder));
    snprintf(url, sizeof url, "ipc://%s/s", host->folder);
    assert_true(iswi_ring_memory_create(&down.memory, &fd));
    assert_true(iswi_ring_memory_map(&up.memory, fd));
    close(fd);
    status = iswi_reactor_start(&(iswi_reactor_options){ .spin_us = -1 }, &host->reactor, error);
    if (status == ISW_OK)
        status = iswi_ring_lane_serve(host->reactor, bell, url, &down, &own, &host->link, error);
    return status == ISW_OK ? iswi_ring_lane_dial(url, &up, events, out, error) : status;
}

static void *run_session(void *user)
{
    scripted_host *host = user;

    host->status = iswi_session_run(host->worker, scripted_token,
                                    host->ways & HOST_RING ? connect_rings : connect_ends, host,
                                    &host->error);
    return NULL;
}

void host_start(scripted_host *host, isw_worker *worker)
{
    host_start_with(host, worker, 0);
}

void host_start_with(scripted_host *host, isw_worker *worker, unsigned ways)
{
    memset(host, 0, sizeof *host);
    host->worker = worker;
    host->ways = ways;
    pthread_mutex_init(&host->lock, NULL);
    pthread_cond_init(&host->changed, NULL);
    iswi_arena_init(&host->arena, 4096);
    assert_int_equal(pthread_create(&host->thread, NULL, run_session, host), 0);
}

void host_close(scripted_host *host)
{
    iswi_link_close(host->link);
}

isw_status host_join(scripted_host *host)
{
    if (host->worker)
        pthread_join(host->thread, NULL);
    host->worker = NULL;
    return host->status;
}

void host_fini(scripted_host *host)
{
    if (host->link)
        host_close(host);
    host_join(host);
    iswi_link_destroy(host->link);
    iswi_reactor_stop(host->reactor);
    if (host->folder[0])
        rmdir(host->folder);
    assert_null(host->broken);
    while (host->first) {
        received *next = host->first->next;

        iswi_message_release(host->first->message);
        free(host->first);
        host->first = next;
    }
    iswi_arena_fini(&host->arena);
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->lock);
}

/* -- Sending ----------------------------------------------------------------------------------- */

void host_send_bytes(scripted_host *host, const void *bytes, size_t size)
{
    assert_int_equal(iswi_link_send(host->link, bytes, size), ISW_OK);
}

void host_send(scripted_host *host, const iswi_frame *frame)
{
    isw_error error = { ISW_OK, "" };
    iswi_buffer bytes = { 0 };

    if (iswi_frame_encode(frame, &bytes, &error) != ISW_OK)
        fail_msg("%s", error.message);
    host_send_bytes(host, bytes.data, bytes.size);
    iswi_buffer_fini(&bytes);
}

void host_send_kind(scripted_host *host, iswi_kind kind, uint64_t id)
{
    host_send(host, &(iswi_frame){ .kind = kind, .id = id });
}

void host_send_hello(scripted_host *host, const isw_pairs *log_levels)
{
    const isw_pair stream = { isw_str_of("stream"), isw_str_of("1") };
    const isw_pair ring = { isw_str_of("ring"), isw_str_of("1") };
    const isw_pair metrics = { isw_str_of("metrics"), isw_str_of("1") };
    iswi_frame frame = { .kind = ISWI_HOST_HELLO };
    const isw_pair apart = { isw_str_of("apart"), isw_str_of("1") };
    const isw_pair begun = { isw_str_of("begun"), isw_str_of("1") };
    const isw_pair health = { isw_str_of("health"), isw_str_of("1") };
    isw_pair capabilities[6];
    size_t count = 0;

    if (host->ways & HOST_STREAMS)
        capabilities[count++] = stream;
    if (host->ways & HOST_RING)
        capabilities[count++] = ring;
    if (host->ways & HOST_METRICS)
        capabilities[count++] = metrics;
    if (host->ways & HOST_APART)
        capabilities[count++] = apart;
    if (host->ways & HOST_BEGUN)
        capabilities[count++] = begun;
    if (host->ways & HOST_HEALTH)
        capabilities[count++] = health;
    frame.as.host_hello.health_every_ms = host->every_ms;
    frame.as.host_hello.health_timeout_ms = host->timeout_ms;
    frame.as.host_hello.health_failures = host->failures;
    frame.as.host_hello.capabilities = (isw_pairs){ capabilities, count };
    frame.as.host_hello.protocol = 1;
    frame.as.host_hello.proof =
        (isw_bytes){ scripted_token + ISWI_TOKEN_BYTES, ISWI_TOKEN_BYTES };
    if (log_levels)
        frame.as.host_hello.log_levels = *log_levels;
    host_send(host, &frame);
    if (host->ways & HOST_RING)
        iswi_link_upgrade(host->link, (host->ways & HOST_APART ? ISWI_LINK_APART : 0) |
                                          (host->ways & HOST_BEGUN ? ISWI_LINK_BEGUN : 0));
}

void host_load(scripted_host *host, uint64_t number, const char *name)
{
    iswi_frame frame = { .kind = ISWI_LOAD, .id = 1000 + number };

    frame.as.load.function = number;
    frame.as.load.name = isw_str_of(name);
    host_send(host, &frame);
}

void host_invoke(scripted_host *host, uint64_t id, uint64_t function, const isw_value *trigger)
{
    iswi_frame frame = { .kind = ISWI_INVOKE, .id = id };

    frame.as.invoke.function = function;
    frame.as.invoke.invocation_id = isw_str_of("an-invocation");
    if (trigger)
        frame.as.invoke.trigger = *trigger;
    host_send(host, &frame);
}

/* -- Receiving --------------------------------------------------------------------------------- */

/* The frame after the last that was taken, or NULL once the link is over. */
static received *wait_for_more(scripted_host *host)
{
    received **place;
    struct timespec until;
    received *one;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&host->lock);
    place = host->taken ? &host->taken->next : &host->first;
    while (!*place && !host->closed && !host->broken && !late)
        late = pthread_cond_timedwait(&host->changed, &host->lock, &until);
    one = *place;
    pthread_mutex_unlock(&host->lock);
    assert_null(host->broken);
    assert_int_equal(late, 0);
    return one;
}

const iswi_frame *host_next(scripted_host *host)
{
    received *one = wait_for_more(host);

    if (!one)
        fail_msg("the worker closed");
    host->taken = one;
    return &one->frame;
}

bool host_sees_apart(const scripted_host *host)
{
    return host->taken->message->apart != NULL;
}

const iswi_frame *host_expect(scripted_host *host, iswi_kind kind)
{
    const iswi_frame *frame = host_next(host);

    assert_string_equal(iswi_kind_name(frame->kind), iswi_kind_name(kind));
    return frame;
}

const iswi_frame *host_expect_answer(scripted_host *host)
{
    const iswi_frame *frame = host_next(host);

    while (frame->kind == ISWI_LOG)
        frame = host_next(host);
    assert_string_equal(iswi_kind_name(frame->kind), iswi_kind_name(ISWI_RESPONSE));
    return frame;
}

uint64_t host_greet(scripted_host *host)
{
    host_expect(host, ISWI_WORKER_HELLO);
    host_send_hello(host, NULL);
    return host_expect(host, ISWI_CREDIT)->as.credit.limit;
}

void host_expect_close(scripted_host *host)
{
    received *one = wait_for_more(host);

    if (one)
        fail_msg("the worker sent %s", iswi_kind_name(one->frame.kind));
}
