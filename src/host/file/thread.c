/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of all inboxes: it sleeps until something comes into a folder, or somebody wants
 * something of it. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "host/engine/log.h"
#include "host/file/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { EVENT_BYTES = 64 * 1024 };

/* -- Folders ----------------------------------------------------------------------------------- */

static bool is_served(iswi_inbox *inbox)
{
    bool served;

    pthread_mutex_lock(&inbox->files->lock);
    served = inbox->served && !inbox->files->held;
    pthread_mutex_unlock(&inbox->files->lock);
    return served;
}

static bool can_watch(iswi_inbox *inbox, int64_t now_ns)
{
    iswi_files *files = inbox->files;

    if (files->notify < 0)
        files->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (files->notify < 0)
        iswi_inbox_fail(inbox, now_ns, errno == EMFILE
                                           ? "no inotify instance is left to this user "
                                             "(fs.inotify.max_user_instances)"
                                           : strerror(errno));
    return files->notify >= 0;
}

/* When it wants to look again. */
static int64_t tend(iswi_files *files)
{
    int64_t now_ns = iswi_now_ns();
    int64_t next_ns = INT64_MAX;

    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        if (!is_served(at))
            iswi_inbox_close(at);
    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        if (is_served(at) && (can_watch(at, now_ns) || at->again_ns > now_ns))
            iswi_inbox_tend(at, now_ns, &next_ns);
    return next_ns;
}

static void on_event(iswi_files *files, const struct inotify_event *event)
{
    int64_t now_ns = iswi_now_ns();

    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        if (at->open && event->mask & IN_Q_OVERFLOW)
            at->lost = !iswi_inbox_scan(at, now_ns) || at->lost;
        else if (at->open)
            iswi_inbox_event(at, event, now_ns);
}

static void read_events(iswi_files *files)
{
    _Alignas(struct inotify_event) char bytes[EVENT_BYTES];
    ssize_t size = read(files->notify, bytes, sizeof bytes);

    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const void *)&bytes[at];

        on_event(files, event);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

/* -- What others want -------------------------------------------------------------------------- */

static void finish(iswi_files *files, iswi_file_done *done)
{
    for (iswi_inbox *at = atomic_load(&files->inboxes); at; at = at->next)
        if (at->entry == done->entry && at->open)
            iswi_inbox_finish(at, done);
    iswi_free(done);
}

/* False: it is to end. */
static bool take_wishes(iswi_files *files)
{
    iswi_file_done *done;
    uint64_t count;
    bool ends;

    if (read(files->wake, &count, sizeof count) < 0)
        count = 0; /* nobody woke us */
    pthread_mutex_lock(&files->lock);
    done = files->done;
    files->done = NULL;
    ends = files->ends;
    pthread_mutex_unlock(&files->lock);
    while (done) {
        iswi_file_done *next = done->next;

        finish(files, done);
        done = next;
    }
    return !ends;
}

static int timeout_of(int64_t next_ns)
{
    int64_t left_ms = (next_ns - iswi_now_ns() + 999999) / 1000000;

    if (next_ns == INT64_MAX)
        return -1;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

static void *run(void *user)
{
    iswi_files *files = user;

    iswi_thread_name("isw-files");
    while (take_wishes(files)) {
        int64_t next_ns = tend(files);
        struct pollfd fds[] = { { .fd = files->wake, .events = POLLIN },
                                { .fd = files->notify, .events = POLLIN } };

        if (poll(fds, 2, timeout_of(next_ns)) > 0 && fds[1].revents)
            read_events(files);
    }
    return NULL;
}

/* -- From outside ------------------------------------------------------------------------------ */

isw_status iswi_files_begin(iswi_files *files, isw_error *error)
{
    if (files->has_thread)
        return ISW_OK;
    if (files->wake < 0)
        files->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (files->wake < 0 || pthread_create(&files->thread, NULL, run, files) != 0)
        return isw_error_set(error, ISW_E_IO, "files cannot be watched: there is no thread for it");
    files->has_thread = true;
    return ISW_OK;
}

void iswi_files_wake(iswi_files *files)
{
    const uint64_t one = 1;

    if (files->wake >= 0 && write(files->wake, &one, sizeof one) < 0)
        return; /* it is awake */
}

void iswi_files_end(iswi_files *files)
{
    pthread_mutex_lock(&files->lock);
    files->ends = true;
    pthread_mutex_unlock(&files->lock);
    iswi_files_wake(files);
    if (files->has_thread)
        pthread_join(files->thread, NULL);
    if (files->wake >= 0)
        close(files->wake);
}
