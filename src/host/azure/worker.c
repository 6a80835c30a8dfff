/* SPDX-License-Identifier: Apache-2.0 */
/* The Azure Functions host as a trigger: functions of any type, which it calls; and how it is
 * met and left. */
#include "base/alloc.h"
#include "host/azure/internal.h"
#include "host/cloudevents/cloudevents.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/reactors.h"
#include "host/queue/foreign.h"
#include "host/timer/foreign.h"
#include "host/warmup/trigger.h"

#include <errno.h>

#define NO_APP "its app cannot be served: what this process prints says why"

enum { LEAVE_MS = 2000, TURN_MS = -1 };

#define MS_NS INT64_C(1000000)
#define SLACK_NS INT64_C(2000000000)

/* -- Functions --------------------------------------------------------------------------------- */

/* All are served that are described: the Azure Functions host says what is wrong with one. */
static isw_status arrange(iswi_entry *const *entries, size_t count, iswi_entry_refuse_fn refuse,
                          void *user, void **set)
{
    (void)entries;
    (void)count;
    (void)refuse;
    (void)user;
    *set = NULL;
    return ISW_OK;
}

static void discard(void *set)
{
    (void)set;
}

static void look_again(void *user)
{
    iswi_azure_look_again(user);
}

/* Of the triggers this is the first: what the others refuse is known when it is tended. */
static void publish(void *self, void *set, iswi_more more)
{
    iswi_azure *azure = self;

    (void)set;
    atomic_store(&azure->known, more != ISWI_MORE_SOON);
    azure->looks = true;
    iswi_host_tend_by(azure->host, 1);
}

static void tend(void *self, bool asked, int64_t now_ns, int64_t *next_ns)
{
    iswi_azure *azure = self;

    (void)asked;
    if (!azure->lives && !iswi_grpc_live_on(azure->grpc, azure->reactor))
        iswi_say(azure->host, ISW_LOG_CRITICAL, "nothing is heard of the Azure Functions host: %s",
                 strerror(errno));
    azure->lives = true;
    iswi_azure_has_app(azure, NULL);
    if (azure->looks)
        iswi_reactor_call(azure->reactor, look_again, azure);
    azure->looks = false;
    iswi_azure_tend_forwarded(azure, now_ns, next_ns);
}

/* -- An instance ------------------------------------------------------------------------------- */

static isw_status start(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_azure *azure = (iswi_azure *)((char *)(uintptr_t)with->trigger -
                                       offsetof(iswi_azure, trigger));
    isw_status status = iswi_host_reactor(with->host, 0, &azure->reactor, error);

    azure->host = with->host;
    if (status == ISW_OK)
        status = iswi_azure_listen(azure, error);
    if (status == ISW_OK)
        status = iswi_azure_join(azure, error);
    if (status == ISW_OK)
        *self = azure;
    return status;
}

/* A time of `http` of host.yaml. */
static int64_t time_of(const void *settings, const char *name)
{
    for (const isw_option *row = iswi_http_trigger.settings->options; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return *(const int64_t *)((const char *)settings + row->offset) * MS_NS;
    return 0;
}

/* The same with the front that requests are forwarded to. */
static isw_status start_front(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_azure *azure = (iswi_azure *)((char *)(uintptr_t)with->trigger -
                                       offsetof(iswi_azure, http_trigger));

    azure->patience_ns = SLACK_NS + time_of(with->settings, "header_timeout") +
                         time_of(with->settings, "body_timeout");
    azure->side = (iswi_http_side){ .unheard = iswi_azure_unheard, .user = azure };
    return iswi_http_trigger_start(with, &azure->side, self, error);
}

iswi_azure *iswi_azure_of(const iswi_host *host)
{
    void *self;

    for (size_t i = 0; i < iswi_host_trigger_count(host); i++)
        if (iswi_host_trigger(host, i, &self)->start == start)
            return self;
    return NULL;
}

static void hold(void *self, bool on)
{
    atomic_store(&((iswi_azure *)self)->held, on);
}

static void quiesce(void *self)
{
    hold(self, true);
}

static size_t admitted(void *self)
{
    return atomic_load(&((iswi_azure *)self)->calls.count);
}

static void forget_timer(void *user)
{
    iswi_azure *azure = user;

    iswi_reactor_cancel_timer(azure->reactor, &azure->hurry);
    azure->keeps_time = true; /* it is not set again */
}

static void run_tasks(void *user)
{
    (void)user; /* those that were posted before have run */
}

/* Every call was answered; what it was told is on its way, or is sent here. */
static void stop(void *self)
{
    iswi_azure *azure = self;

    iswi_reactor_call(azure->reactor, forget_timer, azure);
    iswi_reactor_call(azure->reactor, run_tasks, NULL);
    iswi_azure_has_app(azure, NO_APP);
    iswi_grpc_leave(azure->grpc, LEAVE_MS);
}

static void tell(void *self, const iswi_entry *entry, iswi_arena *arena, iswi_entry_told *out)
{
    const iswi_azure *azure = self;

    (void)entry;
    out->text = iswi_arena_printf(arena, "by the Azure Functions host at %s",
                                  azure->options.server);
}

static const iswi_trigger table = {
    .type = "*",
    .title = "Azure Functions",
    .start = start,
    .arrange = arrange,
    .discard = discard,
    .publish = publish,
    .tend = tend,
    .hold = hold,
    .quiesce = quiesce,
    .admitted = admitted,
    .stop = stop,
    .tell = tell,
};

/* -- Before and after it ----------------------------------------------------------------------- */

static void greet(iswi_azure *azure)
{
    const iswi_rpc_start begin = { .worker_id = isw_str_of(azure->options.worker) };

    iswi_azure_say(azure, &(iswi_rpc_message){ .request_id = isw_str_of(azure->options.request),
                                               .which = ISWI_RPC_START,
                                               .as.start = &begin });
}

isw_status iswi_azure_open(const iswi_azure_options *options, iswi_azure **out, isw_error *error)
{
    iswi_azure *azure = iswi_calloc(1, sizeof *azure);
    iswi_grpc_options call = { .server = options->server,
                               .setting = options->setting,
                               .path = "/AzureFunctionsRpcMessages.FunctionRpc/EventStream",
                               .message_max = ISWI_AZURE_MESSAGE_MAX,
                               .events = &iswi_azure_events,
                               .user = azure };

    if (!azure)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a host");
    azure->options = *options;
    azure->trigger = table;
    azure->list[0] = &azure->trigger;
    azure->http_trigger = iswi_http_trigger;
    azure->http_trigger.settings = iswi_http_guests_trigger.settings; /* host.yaml has no say in where */
    azure->http_trigger.start = start_front;
    azure->list[1] = options->forwards ? &azure->http_trigger : &iswi_http_guests_trigger;
    azure->events = iswi_cloudevents_dialect;
    azure->events.trigger.within = azure->list[1];
    azure->list[2] = &azure->events.trigger;
    azure->list[3] = &iswi_queue_foreign_trigger;
    azure->list[4] = &iswi_timer_foreign_trigger;
    azure->list[5] = &iswi_warmup_trigger;
    for (size_t i = 0; options->others && options->others[i] && i + 6 < ISWI_TRIGGERS_MAX; i++)
        azure->list[i + 6] = options->others[i];
    azure->asked_end = &azure->asked;
    iswi_azure_calls_init(&azure->calls);
    if (iswi_grpc_open(&call, &azure->grpc, error) == ISW_OK) {
        greet(azure);
        *out = azure;
        return ISW_OK;
    }
    iswi_azure_close(azure, NULL);
    return error->status;
}

isw_status iswi_azure_wait(iswi_azure *azure, const char **folder, isw_error *error)
{
    while (!azure->specialised && !atomic_load(&azure->ended))
        if (!iswi_grpc_turn(azure->grpc, TURN_MS))
            break;
    *folder = azure->app_folder;
    if (azure->specialised || azure->dismissed)
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "the Azure Functions host at %s is gone: %s",
                         azure->options.server, azure->why.message);
}

bool iswi_azure_is_dismissed(const iswi_azure *azure)
{
    return azure->dismissed;
}

iswi_trigger_list iswi_azure_triggers(iswi_azure *azure)
{
    return azure->list;
}

static void forget(iswi_azure *azure)
{
    while (azure->asked) {
        iswi_azure_asked *asked = azure->asked;

        azure->asked = asked->next;
        iswi_buffer_fini(&asked->bytes);
        iswi_free(asked);
    }
    while (azure->loaded) {
        iswi_azure_loaded *loaded = azure->loaded;

        azure->loaded = loaded->next;
        iswi_free(loaded);
    }
}

bool iswi_azure_close(iswi_azure *azure, isw_error *error)
{
    bool left;

    if (!azure)
        return true;
    left = azure->why.status != ISW_OK && !azure->dismissed;
    if (left && error)
        isw_error_set(error, ISW_E_UNAVAILABLE, "the Azure Functions host at %s is gone: %s",
                      azure->options.server, azure->why.message);
    if (azure->told_app && !atomic_load(&azure->ended)) {
        iswi_azure_has_app(azure, NO_APP);
        iswi_grpc_leave(azure->grpc, LEAVE_MS);
    }
    iswi_free(azure->told_app);
    iswi_grpc_close(azure->grpc);
    iswi_azure_calls_fini(&azure->calls);
    forget(azure);
    iswi_free(azure->app_folder);
    iswi_free(azure);
    return !left;
}
