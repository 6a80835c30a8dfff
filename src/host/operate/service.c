/* SPDX-License-Identifier: Apache-2.0 */
/* Words to the service manager. Invariant: what must not be lost is owed until it has gone out, in
 * the order of `owed`; all else is said again anyway. */
#include "host/operate/service.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/reactors.h"
#include "host/engine/steer.h"
#include "host/operate/control.h"
#include "host/system/manager.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#define SECOND_NS INT64_C(1000000000)
#define AGAIN_NS (SECOND_NS / 10) /* where the manager had no room */

enum {
    STATUS_BYTES = 512,
    PATIENCE_S = 15,  /* that the manager is asked for, each second: a loop that hangs has it left */
    TRIES_MOST = 100,
    PINGS_IN_TIME = 3 /* so that one which is lost or late is none too few */
};

typedef enum owed {
    OWES_RELOADING = 1,
    OWES_READY = 2,
    OWES_STOPPING = 4
} owed;

/* On each reactor, to see that it turns. */
typedef struct ping {
    iswi_task task; /* first */
    struct iswi_service *service;
} ping;

struct iswi_service {
    iswi_host *host;
    iswi_manager manager;
    unsigned owed;
    bool settled, stopping;
    bool reloading;   /* RELOADING is said or owed, and READY is due once all have read */
    unsigned reloads; /* that were heard of */
    char status[STATUS_BYTES]; /* that was said last */
    int64_t look_at_ns;        /* no sooner is another one made */
    int64_t ping_at_ns;
    bool stuck; /* and that was said */
    atomic_uint unanswered; /* pings */
    ping pings[ISWI_REACTORS_MAX];
};

isw_status iswi_service_create(iswi_host *host, iswi_service **out, isw_error *error)
{
    isw_error why = { ISW_OK, "" };
    iswi_manager manager;
    iswi_service *service;

    if (iswi_manager_open(&manager, &why) != ISW_OK)
        iswi_say(host, ISW_LOG_WARNING, "%s", why.message);
    if (manager.fd < 0)
        return ISW_OK;
    service = iswi_calloc(1, sizeof *service);
    if (!service) {
        iswi_manager_close(&manager);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the service manager");
    }
    service->host = host;
    service->manager = manager;
    for (unsigned i = 0; i < ISWI_REACTORS_MAX; i++)
        service->pings[i].service = service;
    *out = service;
    return ISW_OK;
}

void iswi_service_destroy(iswi_service *service)
{
    if (!service)
        return;
    iswi_manager_close(&service->manager);
    iswi_free(service);
}

static void sooner(int64_t at_ns, int64_t *next_ns)
{
    if (at_ns < *next_ns)
        *next_ns = at_ns;
}

/* -- States ------------------------------------------------------------------------------------ */

/* False: it is to be said again. A socket that is gone hears nothing, ever. */
static bool tell(iswi_service *service, const char *text)
{
    return iswi_manager_tell(&service->manager, text) || (errno != EAGAIN && errno != ENOBUFS);
}

static bool say_owed(iswi_service *service, owed what)
{
    char text[64] = "READY=1";

    if (what == OWES_STOPPING)
        snprintf(text, sizeof text, "STOPPING=1");
    else if (what == OWES_RELOADING)
        snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                 (long long)(iswi_now_ns() / 1000));
    return tell(service, text);
}

static void say_all_owed(iswi_service *service, int64_t now_ns, int64_t *next_ns)
{
    for (unsigned what = OWES_RELOADING; what <= OWES_STOPPING; what <<= 1) {
        if (!(service->owed & what))
            continue;
        if (!say_owed(service, (owed)what)) {
            sooner(now_ns + AGAIN_NS, next_ns);
            return;
        }
        service->owed &= ~what;
    }
}

/* A reload is over once every worker that can be asked has read its configuration, and nothing is
 * being replaced. */
static void follow_reload(iswi_service *service, bool succeeded)
{
    unsigned reloads = iswi_host_reloads(service->host);
    bool change = succeeded || iswi_host_rolls(service->host);

    if ((reloads != service->reloads || (change && !service->reloading)) && service->settled) {
        service->owed |= OWES_RELOADING;
        service->owed &= ~(unsigned)OWES_READY;
        service->reloading = true;
    }
    service->reloads = reloads;
    if (service->reloading && !change && !iswi_host_has_unread_secrets(service->host)) {
        service->owed |= OWES_READY;
        service->reloading = false;
    }
}

static void follow_phase(iswi_service *service, bool succeeded)
{
    if (service->stopping)
        return;
    follow_reload(service, succeeded);
    service->stopping = iswi_host_phase(service->host) == ISWI_PHASE_STOPPING;
    if (service->stopping)
        service->owed = OWES_STOPPING;
}

void iswi_service_settled(iswi_service *service)
{
    if (!service || service->settled || service->stopping)
        return;
    service->settled = true;
    service->owed |= OWES_READY;
    service->look_at_ns = 0;
    iswi_host_wake(service->host);
}

/* Not to be lost, and said once. */
void iswi_service_replaced(iswi_service *service, pid_t by)
{
    char text[64];

    if (!service)
        return;
    snprintf(text, sizeof text, "MAINPID=%ld", (long)by);
    for (int i = 0; i < TRIES_MOST && !tell(service, text); i++)
        poll(NULL, 0, (int)(AGAIN_NS / 10000000));
}

/* -- Status ------------------------------------------------------------------------------------ */

static bool serves(const iswi_host *host, size_t worker)
{
    for (unsigned i = 0; i < iswi_host_worker_places(host, worker); i++)
        if (iswi_process_serves(iswi_host_process(host, worker, i)))
            return true;
    return false;
}

/* What keeps a worker from serving, or else what stands in the status until it is mended. */
static void append_trouble(iswi_host *host, iswi_buffer *out)
{
    iswi_arena arena;
    size_t count;
    const char **sentences;

    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        iswi_process_look look;

        if (!iswi_host_needs_worker(host, i))
            continue;
        iswi_process_look_at(iswi_host_first_process(host, i), &look, NULL);
        if (serves(host, i) || look.fault.status == ISW_OK)
            continue;
        iswi_buffer_printf(out, "; worker %s: ", look.label);
        iswi_terminal_text(out, isw_str_of(look.fault.message));
        return;
    }
    iswi_arena_init(&arena, 4096);
    sentences = iswi_attention_gather(host, &arena, &count);
    if (sentences && count) {
        iswi_buffer_append_text(out, "; ");
        iswi_terminal_text(out, isw_str_of(sentences[0]));
    }
    if (sentences && count > 1)
        iswi_buffer_printf(out, " (and %zu more)", count - 1);
    iswi_arena_fini(&arena);
}

/* "serving: 2 of 3 workers ready, 5 in flight; worker mail: it was ended by signal 9". */
static void make_status(iswi_host *host, char text[STATUS_BYTES])
{
    size_t count = 0;
    size_t ready = 0;
    iswi_buffer out = { 0 };

    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        bool needed = iswi_host_needs_worker(host, i);

        count += needed;
        ready += needed && serves(host, i);
    }
    iswi_buffer_printf(&out, "%s: %zu of %zu worker%s ready, %zu in flight", iswi_host_state(host),
                       ready, count, count == 1 ? "" : "s", iswi_host_in_flight(host));
    if (iswi_host_phase(host) != ISWI_PHASE_STOPPING)
        append_trouble(host, &out);
    snprintf(text, STATUS_BYTES, "%s", iswi_buffer_text(&out) ? iswi_buffer_text(&out) : "");
    iswi_buffer_fini(&out);
}

static bool is_waited_for(const iswi_service *service)
{
    return !service->settled || service->stopping;
}

static void say_status(iswi_service *service)
{
    char text[STATUS_BYTES];
    char words[STATUS_BYTES + 64];

    make_status(service->host, text);
    if (strcmp(text, service->status) != 0) {
        snprintf(words, sizeof words, "STATUS=%s", text);
        if (tell(service, words))
            memcpy(service->status, text, sizeof text);
    }
    if (!is_waited_for(service))
        return;
    snprintf(words, sizeof words, "EXTEND_TIMEOUT_USEC=%lld",
             (long long)PATIENCE_S * SECOND_NS / 1000);
    tell(service, words);
}

/* At most once a second, and soon after whatever may have changed it. While calls are in flight,
 * their number changes without a turn. */
static void tend_status(iswi_service *service, int64_t now_ns, int64_t *next_ns)
{
    bool due = now_ns >= service->look_at_ns;

    if (due) {
        say_status(service);
        service->look_at_ns = now_ns + SECOND_NS;
    }
    if (!due || is_waited_for(service) || iswi_host_in_flight(service->host))
        sooner(service->look_at_ns, next_ns);
}

/* -- Watchdog ---------------------------------------------------------------------------------- */

/* Whoever answers last says so: then the supervisor and all reactors have turned. */
static void answer(iswi_task *task)
{
    iswi_service *service = ((ping *)task)->service;

    if (atomic_fetch_sub(&service->unanswered, 1) == 1)
        iswi_manager_tell(&service->manager, "WATCHDOG=1");
}

static void ping_reactors(iswi_service *service)
{
    unsigned count = iswi_host_reactor_count(service->host);

    atomic_store(&service->unanswered, count);
    for (unsigned i = 0; i < count; i++) {
        iswi_reactor *reactor;

        service->pings[i].task.run = answer;
        if (iswi_host_reactor(service->host, i, &reactor, NULL) == ISW_OK)
            iswi_reactor_post(reactor, &service->pings[i].task);
    }
}

static void tend_watchdog(iswi_service *service, int64_t now_ns, int64_t *next_ns)
{
    unsigned unanswered;

    if (!service->manager.watchdog_ns)
        return;
    if (now_ns >= service->ping_at_ns) {
        unanswered = atomic_load(&service->unanswered);
        if (unanswered && !service->stuck)
            iswi_say(service->host, ISW_LOG_ERROR,
                     "%u of %u threads that serve do not turn, so the watchdog of the service "
                     "manager hears nothing, and will end this host", unanswered,
                     iswi_host_reactor_count(service->host));
        service->stuck = unanswered != 0;
        if (!unanswered)
            ping_reactors(service);
        service->ping_at_ns = now_ns + service->manager.watchdog_ns / PINGS_IN_TIME;
    }
    sooner(service->ping_at_ns, next_ns);
}

void iswi_service_turns(iswi_service *service, bool succeeded, int64_t now_ns, int64_t *next_ns)
{
    if (!service)
        return;
    follow_phase(service, succeeded);
    say_all_owed(service, now_ns, next_ns);
    tend_status(service, now_ns, next_ns);
    tend_watchdog(service, now_ns, next_ns);
}
