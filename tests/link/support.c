/* SPDX-License-Identifier: Apache-2.0 */
/* The two ends of a lane, and how to wait for what they see. */
#include "link/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

/* -- Events ------------------------------------------------------------------------------------ */

/* With the lock. So many of the only frame's bytes lie `apart`. */
static void check_frames(end *one, isw_bytes bytes, size_t apart)
{
    while (bytes.size && !one->broken) {
        header head;

        if (bytes.size < sizeof head) {
            one->broken = "a message ends within a frame's header";
            return;
        }
        memcpy(&head, bytes.data, sizeof head);
        if (head.size < sizeof head + apart || head.size > bytes.size + apart || head.sender >= SENDERS)
            one->broken = "a frame is not whole";
        else if (head.sequence != one->expected[head.sender]++)
            one->broken = "frames of one sender came in another order";
        one->frames++;
        bytes.data = (const char *)bytes.data + head.size - apart;
        bytes.size -= head.size - apart;
    }
}

static void on_message(void *user, iswi_message *message)
{
    end *one = user;
    bool close;

    pthread_mutex_lock(&one->lock);
    if (one->closed)
        one->broken = "a message came after on_closed";
    one->messages++;
    check_frames(one, message->bytes, iswi_message_apart(message).size);
    if (one->keep) {
        one->keep--;
        one->kept = iswi_message_keep(message, &(isw_bytes){ message->bytes.data,
                                                             message->bytes.size });
    }
    close = one->closes_on_message;
    pthread_cond_broadcast(&one->changed);
    while (one->reads_not)
        pthread_cond_wait(&one->changed, &one->lock);
    pthread_mutex_unlock(&one->lock);
    if (close)
        iswi_link_close(one->link);
}

static void on_closed(void *user)
{
    end *one = user;

    pthread_mutex_lock(&one->lock);
    if (one->closed++)
        one->broken = "on_closed came twice";
    pthread_cond_broadcast(&one->changed);
    pthread_mutex_unlock(&one->lock);
}

iswi_link_events events_of(end *one)
{
    return (iswi_link_events){ .on_message = on_message, .on_closed = on_closed, .user = one };
}

/* -- Ends -------------------------------------------------------------------------------------- */

void end_init(end *one)
{
    memset(one, 0, sizeof *one);
    pthread_mutex_init(&one->lock, NULL);
    pthread_cond_init(&one->changed, NULL);
}

void end_fini(end *one)
{
    assert_null(one->broken);
    iswi_message_release(one->kept);
    pthread_cond_destroy(&one->changed);
    pthread_mutex_destroy(&one->lock);
}

static void stop_minding(void *user)
{
    end *one = user;

    iswi_watch_end(one->minder, &one->lifeline);
}

void end_destroy(end *one)
{
    end_set(one, &one->reads_not, false);
    if (!one->link)
        return;
    if (one->minder)
        iswi_reactor_call(one->minder, stop_minding, one);
    iswi_link_destroy(one->link);
    one->link = NULL;
    assert_int_equal(one->closed, 1);
}

void end_set(end *one, bool *flag, bool value)
{
    pthread_mutex_lock(&one->lock);
    *flag = value;
    pthread_cond_broadcast(&one->changed);
    pthread_mutex_unlock(&one->lock);
}

void end_keep(end *one, unsigned messages)
{
    pthread_mutex_lock(&one->lock);
    one->keep = messages;
    pthread_mutex_unlock(&one->lock);
}

static unsigned look_at(end *one, const unsigned *count)
{
    unsigned seen;

    pthread_mutex_lock(&one->lock);
    seen = *count;
    pthread_mutex_unlock(&one->lock);
    return seen;
}

unsigned end_closed(end *one)
{
    return look_at(one, &one->closed);
}

unsigned end_frames(end *one)
{
    return look_at(one, &one->frames);
}

/* -- Lanes ------------------------------------------------------------------------------------- */

void make_folder(char folder[32])
{
    strcpy(folder, "/tmp/isw-link-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

iswi_reactor *make_reactor(int64_t spin_us)
{
    iswi_reactor_options options = { .spin_us = spin_us };
    iswi_reactor *reactor = NULL;
    isw_error error = { 0 };

    if (iswi_reactor_start(&options, &reactor, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return reactor;
}

int make_bell(void)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    assert_true(bell >= 0);
    return bell;
}

/* `host` is the end on a reactor. */
static void open_socket(pair *both, end *host, end *worker)
{
    iswi_link_events down = events_of(host);
    iswi_link_events up = events_of(worker);
    isw_error error = { 0 };
    char url[64];

    both->reactor = make_reactor(-1);
    make_folder(both->folder);
    snprintf(url, sizeof url, "ipc://%s/s", both->folder);
    if (iswi_socket_lane_listen(both->reactor, url, &down, &host->link, &error) != ISW_OK ||
        iswi_message_lane_dial(url, &up, &worker->link, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static void open_socket_lane(pair *both)
{
    open_socket(both, &both->a, &both->b);
}

static void open_message_lane(pair *both)
{
    open_socket(both, &both->b, &both->a);
}

static void open_memory_lane(pair *both)
{
    iswi_link_events a = events_of(&both->a);
    iswi_link_events b = events_of(&both->b);
    isw_error error = { 0 };

    if (iswi_memory_lane_pair(&a, &both->a.link, &b, &both->b.link, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

void open_ring_on_socket(pair *both, int64_t spin_us)
{
    iswi_ring_options host = { .is_host = true, .spin_us = -1 };
    iswi_ring_options worker = { .spin_us = -1 };
    iswi_link_events a = events_of(&both->a);
    iswi_link_events b = events_of(&both->b);
    isw_error error = { 0 };
    char url[64];
    int fd;

    both->reactor = make_reactor(spin_us);
    make_folder(both->folder);
    snprintf(url, sizeof url, "ipc://%s/s", both->folder);
    assert_true(iswi_ring_memory_create(&host.memory, &fd));
    assert_true(iswi_ring_memory_map(&worker.memory, fd));
    close(fd);
    if (iswi_ring_lane_serve(both->reactor, make_bell(), url, &host, &a, &both->a.link, &error) ||
        iswi_ring_lane_dial(url, &worker, &b, &both->b.link, &error))
        fail_msg("%s", error.message);
    /* Hosts and workers agree on the socket first, so that it is connected by then. */
    while (!iswi_link_peer(both->a.link).pid)
        sched_yield();
}

static void open_ring_lane(pair *both)
{
    open_ring_on_socket(both, -1);
    assert_int_equal(iswi_link_extras(both->b.link), ISWI_LINK_APART | ISWI_LINK_BEGUN);
    iswi_link_upgrade(both->a.link, ISWI_LINK_APART);
    iswi_link_upgrade(both->b.link, ISWI_LINK_APART);
}

static void on_hang_up(iswi_watch *watch, uint32_t events)
{
    end *one = (end *)((char *)watch - offsetof(end, lifeline));

    (void)events;
    iswi_watch_end(one->minder, watch);
    iswi_link_lost(one->link);
}

static void start_minding(void *user)
{
    end *one = user;

    one->lifeline = (iswi_watch){ iswi_link_lifeline(one->link), on_hang_up };
    if (!iswi_watch_begin(one->minder, &one->lifeline, EPOLLRDHUP))
        abort();
}

/* The worker speaks first, as it does in a session; what it says then does not count. */
static void say_hello(pair *both)
{
    assert_int_equal(end_send(&both->b, 0, 0, sizeof(header)), ISW_OK);
    wait_for_frames(&both->a, 1);
    pthread_mutex_lock(&both->a.lock);
    both->a.frames = both->a.messages = both->a.expected[0] = 0;
    pthread_mutex_unlock(&both->a.lock);
}

static unsigned threads_of_this_process(void)
{
    struct stat info;

    assert_int_equal(stat("/proc/self/task", &info), 0);
    return (unsigned)info.st_nlink;
}

static void open_begun_ring_lane(pair *both)
{
    iswi_ring_options host = { .is_host = true, .spin_us = -1 };
    iswi_ring_options worker = { .spin_us = -1 };
    iswi_link_events a = events_of(&both->a);
    iswi_link_events b = events_of(&both->b);
    int bell = make_bell();
    isw_error error = { 0 };
    unsigned threads;
    char url[64];
    int fd;

    both->reactor = make_reactor(-1);
    make_folder(both->folder);
    snprintf(url, sizeof url, "ipc://%s/s", both->folder);
    assert_true(iswi_ring_memory_create(&host.memory, &fd));
    assert_true(iswi_ring_memory_map(&worker.memory, fd));
    close(fd);
    assert_true(iswi_ring_memory_widen(&host.memory, &fd));
    assert_true(iswi_ring_memory_map_wide(&worker.memory, fd));
    close(fd);
    threads = threads_of_this_process();
    if (iswi_ring_lane_serve(both->reactor, bell, url, &host, &a, &both->a.link, &error) ||
        iswi_ring_lane_begin(dup(bell), url, &worker, &b, &both->b.link, &error))
        fail_msg("%s", error.message);
    both->b.minder = both->reactor;
    iswi_reactor_call(both->reactor, start_minding, &both->b);
    say_hello(both);
    assert_int_equal(threads_of_this_process(), threads); /* its hello waits for none */
    iswi_link_read(both->b.link);
    assert_int_equal(iswi_link_extras(both->b.link),
                     ISWI_LINK_APART | ISWI_LINK_WIDE | ISWI_LINK_BEGUN);
    iswi_link_upgrade(both->a.link, ISWI_LINK_APART | ISWI_LINK_WIDE);
    iswi_link_upgrade(both->b.link, ISWI_LINK_APART | ISWI_LINK_WIDE);
}

const lane lanes[] = {
    { "message", open_message_lane, true },
    { "memory", open_memory_lane, true },
    { "ring", open_ring_lane, false },
    { "socket", open_socket_lane, false },
    { "ring from the begin", open_begun_ring_lane, false },
};
const size_t lane_count = sizeof lanes / sizeof lanes[0];

void pair_open(pair *both, const lane *kind)
{
    print_message("lane: %s\n", kind->name);
    both->folder[0] = '\0';
    both->reactor = NULL;
    end_init(&both->a);
    end_init(&both->b);
    kind->open(both);
}

void pair_close(pair *both)
{
    iswi_message_release(both->b.kept); /* it may lie in memory of the link */
    both->b.kept = NULL;
    end_destroy(&both->b);
    end_destroy(&both->a);
    iswi_reactor_stop(both->reactor);
    end_fini(&both->b);
    end_fini(&both->a);
    if (*both->folder)
        assert_int_equal(rmdir(both->folder), 0);
}

/* -- Sending and waiting ----------------------------------------------------------------------- */

isw_status end_send(end *one, unsigned sender, unsigned sequence, size_t size)
{
    header head = { (uint32_t)size, sender, sequence };
    char *frame = calloc(1, size);
    isw_status status;

    memcpy(frame, &head, sizeof head);
    status = iswi_link_send(one->link, frame, size);
    free(frame);
    return status;
}

static void *run_sending(void *user)
{
    sending *job = user;

    for (unsigned i = 0; i < job->count && job->status == ISW_OK; i++)
        job->status = end_send(job->from, job->sender, i, job->size);
    return NULL;
}

void sending_start(sending *job, end *from, unsigned sender, unsigned count, size_t size)
{
    *job = (sending){ .from = from, .sender = sender, .count = count, .size = size };
    assert_int_equal(pthread_create(&job->thread, NULL, run_sending, job), 0);
}

void sending_join(sending *job)
{
    pthread_join(job->thread, NULL);
    assert_int_equal(job->status, ISW_OK);
}

static void wait_for(end *one, const unsigned *count, unsigned wanted)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&one->lock);
    while (*count < wanted && !one->broken && !late)
        late = pthread_cond_timedwait(&one->changed, &one->lock, &until);
    pthread_mutex_unlock(&one->lock);
    assert_null(one->broken);
    assert_int_equal(late, 0);
}

void wait_for_frames(end *one, unsigned frames)
{
    wait_for(one, &one->frames, frames);
}

void wait_for_message(end *one)
{
    wait_for(one, &one->messages, 1);
}

void wait_for_closed(end *one)
{
    wait_for(one, &one->closed, 1);
}
