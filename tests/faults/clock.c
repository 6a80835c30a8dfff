/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wall clock that can be set for one program: preloaded into it, and as far from the real one as the
 * nanoseconds in the file FAULTS_CLOCK say, whose writer sets the clock by that. As with the kernel's
 * own, a timerfd of it that is to be cancelled then (TFD_TIMER_CANCEL_ON_SET) becomes readable and reads
 * as ECANCELED, and one that is due by the new time fires; libfaketime (0.9.10) shifts a timerfd when it
 * is armed, and tells nobody that time was set. Programs that this one starts have the real clock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { TIMERS_MAX = 16 };

static const int64_t SECOND_NS = 1000000000;
static const time_t NO_UPTIME_S = 1000000000; /* a time beyond is one of the wall clock */

typedef struct timer {
    int fd; /* -1: none */
    bool cancels;
    int64_t offset_ns; /* when it was armed */
    struct itimerspec at;
} timer;

static struct {
    const _Atomic int64_t *offset_ns; /* NULL: the real clock */
    pthread_mutex_t lock;
    timer timers[TIMERS_MAX];
    atomic_int count; /* of them in use */
    int notices;      /* inotify */
} is = { .lock = PTHREAD_MUTEX_INITIALIZER, .notices = -1 };

/* The function of this name that would have been called. */
#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

static int64_t offset_ns(void)
{
    return is.offset_ns ? atomic_load(is.offset_ns) : 0;
}

static struct timespec moved(struct timespec at, int64_t by_ns)
{
    const int64_t ns = at.tv_sec * SECOND_NS + at.tv_nsec + by_ns;

    if (ns <= 0)
        return (struct timespec){ .tv_nsec = 1 };
    return (struct timespec){ .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
}

/* -- Asking the time --------------------------------------------------------------------------- */

EXPORT int clock_gettime(clockid_t clock, struct timespec *out)
{
    static __typeof__(&clock_gettime) next;
    int failure;

    if (!next)
        next = NEXT(clock_gettime);
    failure = next(clock, out);
    if (!failure && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        *out = moved(*out, offset_ns());
    return failure;
}

EXPORT time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}

/* -- Waiting for a time: as far as it is one of the wall clock when the wait begins ------------- */

static struct timespec real(const struct timespec *until)
{
    return until->tv_sec > NO_UPTIME_S ? moved(*until, -offset_ns()) : *until;
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict lock,
                                  const struct timespec *restrict until)
{
    const struct timespec at = real(until);

    return NEXT(pthread_cond_timedwait)(cond, lock, &at);
}

EXPORT int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until)
{
    const struct timespec at = real(until);

    return NEXT(sem_timedwait)(sem, &at);
}

/* -- Timers ------------------------------------------------------------------------------------ */

/* With the lock; NULL: none of the wall clock. */
static timer *find(int fd)
{
    for (int i = 0; i < TIMERS_MAX; i++)
        if (is.timers[i].fd == fd)
            return &is.timers[i];
    return NULL;
}

/* With the lock. At once: it is time, or it was cancelled. */
static void arm(const timer *of, bool at_once)
{
    struct itimerspec at = of->at;

    if (at_once)
        at.it_value = (struct timespec){ .tv_nsec = 1 };
    else if (at.it_value.tv_sec || at.it_value.tv_nsec)
        at.it_value = moved(at.it_value, -of->offset_ns);
    NEXT(timerfd_settime)(of->fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void *watch(void *unused)
{
    char notice[4096];

    while (NEXT(read)(is.notices, notice, sizeof notice) > 0) {
        pthread_mutex_lock(&is.lock);
        for (int i = 0; i < TIMERS_MAX; i++) {
            if (is.timers[i].fd < 0)
                continue;
            if (!is.timers[i].cancels)
                is.timers[i].offset_ns = offset_ns();
            arm(&is.timers[i], is.timers[i].cancels);
        }
        pthread_mutex_unlock(&is.lock);
    }
    return unused;
}

/* With the lock. */
static bool watch_clock(void)
{
    sigset_t all, before;
    pthread_t thread;
    int failure;

    if (is.notices >= 0)
        return true;
    is.notices = inotify_init1(IN_CLOEXEC);
    if (inotify_add_watch(is.notices, getenv("FAULTS_CLOCK"), IN_MODIFY) < 0)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failure;
}

EXPORT int timerfd_create(clockid_t clock, int flags)
{
    const int fd = NEXT(timerfd_create)(clock, flags);
    timer *of;

    if (fd < 0 || clock != CLOCK_REALTIME || !is.offset_ns)
        return fd;
    pthread_mutex_lock(&is.lock);
    of = find(-1);
    if (!of || !watch_clock())
        abort();
    *of = (timer){ .fd = fd };
    is.count++;
    pthread_mutex_unlock(&is.lock);
    return fd;
}

EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *was)
{
    timer *of;

    pthread_mutex_lock(&is.lock);
    of = is.count ? find(fd) : NULL;
    if (of && (flags & TFD_TIMER_ABSTIME)) {
        *of = (timer){ fd, flags & TFD_TIMER_CANCEL_ON_SET, offset_ns(), *at };
        arm(of, false);
    }
    pthread_mutex_unlock(&is.lock);
    return of && (flags & TFD_TIMER_ABSTIME) ? 0 : NEXT(timerfd_settime)(fd, flags, at, was);
}

EXPORT ssize_t read(int fd, void *out, size_t size)
{
    static __typeof__(&read) next;
    const int64_t now_ns = offset_ns();
    bool cancelled = false;
    ssize_t got;
    timer *of;

    if (!next)
        next = NEXT(read);
    if (is.count) {
        pthread_mutex_lock(&is.lock);
        of = find(fd);
        cancelled = of && of->cancels && of->offset_ns != now_ns;
        if (cancelled)
            of->offset_ns = now_ns;
        pthread_mutex_unlock(&is.lock);
    }
    got = next(fd, out, size);
    if (!cancelled)
        return got;
    errno = ECANCELED;
    return -1;
}

EXPORT int close(int fd)
{
    timer *of;

    if (is.count) {
        pthread_mutex_lock(&is.lock);
        of = fd < 0 ? NULL : find(fd);
        if (of) {
            of->fd = -1;
            is.count--;
        }
        pthread_mutex_unlock(&is.lock);
    }
    return NEXT(close)(fd);
}

/* -- The beginning ----------------------------------------------------------------------------- */

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS_CLOCK");
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *is.offset_ns, PROT_READ, MAP_SHARED, fd, 0);

    for (int i = 0; i < TIMERS_MAX; i++)
        is.timers[i].fd = -1;
    if (fd >= 0)
        close(fd);
    if (at != MAP_FAILED)
        is.offset_ns = at;
    unsetenv("LD_PRELOAD");
}
