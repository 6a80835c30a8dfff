/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_INTERNAL_H
#define ISWI_HOST_AZURE_INTERNAL_H

/*
 * Inside the room. What the Azure Functions host says is heard on one reactor, the host's first;
 * what it is told comes from any thread. An invocation is a record from when it comes until its
 * response is on its way; who looks for one has the lock of the records.
 */
#include "host/azure/boxes.h"
#include "host/azure/worker.h"
#include "host/azure/grpc.h"
#include "host/azure/messages.h"
#include "host/engine/call.h"
#include "host/http/dialect.h"
#include "host/http/guest.h"
#include "host/http/trigger.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ISWI_AZURE_MESSAGE_MAX = 128 * 1024 * 1024,
    ISWI_AZURE_KEY_BYTES = 33,
    ISWI_AZURE_LINES = 256, /* of the table of invocations */
    ISWI_AZURE_EARLY_MAX = 8192
};

/* The header by which a request is known that belongs to an invocation. */
#define ISWI_AZURE_HEADER "x-ms-invocation-id"

/* -- Invocations ------------------------------------------------------------------------------- */

/* How an invocation is run. */
typedef enum iswi_azure_way {
    ISWI_AZURE_CALL,     /* as a call of ours */
    ISWI_AZURE_GUEST,    /* its request is a guest of the HTTP front */
    ISWI_AZURE_FORWARD,  /* its request comes by itself */
    ISWI_AZURE_EARLY,    /* that request was over before it was heard of */
    ISWI_AZURE_ABANDONED /* it was answered, and its request is not over */
} iswi_azure_way;

typedef struct iswi_azure_outcome {
    bool known;
    int32_t status; /* ISWI_RPC_SUCCESS, ... */
    iswi_rpc_exception exception; /* copies, with the record */
} iswi_azure_outcome;

/* What a function has said of its message while it ran. */
typedef enum iswi_azure_verdict {
    ISWI_AZURE_UNSAID,
    ISWI_AZURE_DONE,  /* whatever becomes of the invocation */
    ISWI_AZURE_AGAIN  /* or never, as the queue has it */
} iswi_azure_verdict;

typedef struct iswi_azure_call {
    iswi_azure *azure;
    struct iswi_azure_call *next;  /* in its line of the table */
    struct iswi_azure_call *later; /* among the early ones */
    char key[ISWI_AZURE_KEY_BYTES]; /* our invocation id */
    iswi_azure_way way;
    const char *id; /* as the Azure Functions host calls it */
    iswi_buffer bytes;              /* the message that it came with, */
    iswi_arena read, arena;         /* what it says, and what was made of that */
    const iswi_rpc_invoke *invoke;
    const char *name; /* of its function */
    iswi_host_function *function;
    unsigned moves;
    isw_value trigger;
    isw_map metadata, inputs;
    iswi_azure_verdict verdict; /* of its message; with its process's lock, or at its end */
    char reason[128];
    /* With the lock: */
    int64_t since_ns; /* when it came */
    bool begun;       /* its request has come to its function */
    bool several;     /* as several calls: a batch of events */
    bool cancelled;   /* nobody wants it any more */
    iswi_process *process; /* where it is, under `place`; NULL: nowhere yet */
    uint64_t place;
    iswi_azure_outcome outcome;
    iswi_outbox *outputs; /* what it put out */
    /* Of a guest, on the reactor: */
    iswi_http_guest *guest;
    iswi_task burial;
    int64_t abandoned_ns; /* when the request of one that was given up was answered */
    iswi_rpc_http *http; /* the answer's head; NULL: no memory for it */
    iswi_buffer body;
} iswi_azure_call;

typedef struct iswi_azure_calls {
    pthread_mutex_t lock;
    iswi_azure_call *lines[ISWI_AZURE_LINES];
    iswi_azure_call *early, **early_end;
    size_t early_count;
    iswi_azure_call *given_up; /* whose requests were answered lately */
    atomic_size_t count;       /* that are to be answered */
    atomic_size_t abandoned;   /* that were, and are in the table still */
} iswi_azure_calls;

/* calls.c: records. What begins with `find` is with the lock. */
void iswi_azure_calls_init(iswi_azure_calls *calls);
void iswi_azure_calls_fini(iswi_azure_calls *calls); /* with those that are left */
void iswi_azure_key(isw_str id, char key[ISWI_AZURE_KEY_BYTES]); /* the invocation id of ours */
iswi_azure_call *iswi_azure_call_create(iswi_azure *azure, isw_str id);
void iswi_azure_call_free(iswi_azure_call *call);

/* With the lock: it is answered, and its request is not over. */
void iswi_azure_find_abandon(iswi_azure_calls *calls, iswi_azure_call *call);

/* With the lock: it was abandoned, and its request is answered just now, by somebody who may look at
 * what it asked for a moment longer. */
void iswi_azure_find_bury(iswi_azure_calls *calls, iswi_azure_call *call);
iswi_azure_call *iswi_azure_find(iswi_azure_calls *calls, const char *key);
void iswi_azure_find_add(iswi_azure_calls *calls, iswi_azure_call *call);
void iswi_azure_find_remove(iswi_azure_calls *calls, iswi_azure_call *call);

/* -- An instance ------------------------------------------------------------------------------- */

/* A request of the Azure Functions host that waits until functions are known. */
typedef struct iswi_azure_asked {
    struct iswi_azure_asked *next;
    iswi_buffer bytes;
} iswi_azure_asked;

/* A function by the name that the Azure Functions host gave it. */
typedef struct iswi_azure_loaded {
    struct iswi_azure_loaded *next;
    const char *name;
    char id[];
} iswi_azure_loaded;

struct iswi_azure {
    iswi_trigger trigger, http_trigger; /* the tables of what it is, and of its front */
    iswi_http_dialect events; /* CloudEvents, of functions of that front */
    iswi_http_side side;
    const iswi_trigger *list[ISWI_TRIGGERS_MAX + 1];
    iswi_sink sent_here[ISWI_AZURE_SENT_HERE];
    const iswi_sink *sinks[ISWI_AZURE_SENT_HERE + 4];
    iswi_azure_options options;
    iswi_grpc *grpc;
    iswi_host *host; /* NULL: there is none yet */
    iswi_reactor *reactor;
    iswi_azure_calls calls;
    atomic_bool known;   /* all functions are, that may be */
    atomic_bool held;    /* nothing new is taken */
    atomic_bool ended;   /* the Azure Functions host has left, or asked us to end */
    bool dismissed;      /* it was the second */
    isw_error why;       /* of the first */
    bool lives, looks;   /* its reactor hears it; functions are others: the supervisor's */
    iswi_timer hurry; /* the time to end is running out */
    unsigned hurries;
    int64_t grace_ns;
    bool keeps_time; /* the timer is set */
    /* On the reactor, or before there is one: */
    iswi_azure_asked *asked, **asked_end;
    iswi_azure_loaded *loaded;
    char *app_folder;
    int64_t patience_ns; /* within which a forwarded request comes to its function */
    bool specialised; /* a placeholder that knows its app */
    char *told_app;   /* by that request, which is answered once the app is served, or is not; NULL:
                         there is none to answer */
};

/* worker.c: the instance of a host; NULL: it has none. */
iswi_azure *iswi_azure_of(const iswi_host *host);

/* said.c: what it is told. Any thread. */
void iswi_azure_say(iswi_azure *azure, const iswi_rpc_message *message);
iswi_rpc_result iswi_azure_failure(iswi_rpc_exception *exception, const char *message);

/* heard.c: what it says. */
extern const iswi_grpc_events iswi_azure_events;

/* The app that it was told is served (NULL), or cannot be. Nothing, where it was told none. */
void iswi_azure_has_app(iswi_azure *azure, const char *why);
void iswi_azure_look_again(iswi_azure *azure); /* at what was asked for */

/* index.c: answers to what functions there are, and to one that is loaded. False: that is not known
 * yet. */
bool iswi_azure_index(iswi_azure *azure, isw_str request);
bool iswi_azure_load(iswi_azure *azure, isw_str request, const iswi_rpc_load *load);
const char *iswi_azure_function_of(const iswi_azure *azure, isw_str id); /* NULL: none */

/* bindings.c: the bindings of a function as JSON, in the arena; false: no memory. */
bool iswi_azure_bindings(const iswi_host_function *function, iswi_arena *arena,
                         iswi_proto_list *out);
const iswi_rpc_retry_options *iswi_azure_retries(const iswi_host_function *function,
                                                 iswi_arena *arena);
bool iswi_azure_is_http(const iswi_host_function *function);

/* invoke.c: run an invocation, with what came; it is the record's from then on. */
void iswi_azure_invoke(iswi_azure *azure, iswi_buffer *bytes, iswi_arena *arena,
                       const iswi_rpc_invoke *invoke);
void iswi_azure_cancel(iswi_azure *azure, isw_str id);
void iswi_azure_refuse(iswi_azure *azure, isw_str id, const char *message);
extern const iswi_call_events iswi_azure_call_events;

/* request.c: one whose request comes with it. */
void iswi_azure_guest(iswi_azure_call *call, const iswi_rpc_http *http);

/* cookies.c: those that the headers set. False: no memory. */
bool iswi_azure_cookies(const isw_pairs *headers, iswi_arena *arena, iswi_proto_list *out);

/* outcome.c: how a call ended, for the record, in its arena. */
void iswi_azure_conclude(iswi_azure_call *call, const iswi_host_function *function,
                         const iswi_answer *answer, bool is_http);

/* The same of a forwarded request that the front answered itself. */
void iswi_azure_conclude_unheard(iswi_azure_call *call, unsigned status);

/* answer.c: its response, with `returned` (NULL: nothing), and the end of the record, which is in
 * no table any more. Any thread. */
void iswi_azure_answer(iswi_azure_call *call, const iswi_rpc_data *returned);

/* joined.c: calls of the host as they begin and end, for those that belong to an invocation. */
isw_status iswi_azure_join(iswi_azure *azure, isw_error *error);

/* A forwarded request was answered, or not (0), before it came to a function. Any thread. */
void iswi_azure_unheard(void *user, const isw_http *request, unsigned status);

/* Be done with invocations whose forwarded request does not come any more: one that names another in its
 * header, perhaps. Sets *next_ns to when that is to be looked at again. */
void iswi_azure_tend_forwarded(iswi_azure *azure, int64_t now_ns, int64_t *next_ns);

/* What a call of that id put out is the record's from now on, beside what it has of others. False:
 * there is none. Any thread. */
bool iswi_azure_put_out(iswi_azure *azure, const char *key, iswi_outbox *box);

/* data.c: values both ways, in the arena with views into what they come from. False: no memory. */
bool iswi_azure_value(const iswi_rpc_data *data, iswi_arena *arena, isw_value *out);
/* Errors: ISW_E_INVALID for what the Azure Functions host takes in no form; ISW_E_NO_MEMORY. */
isw_status iswi_azure_data(const isw_value *value, iswi_arena *arena, iswi_rpc_data *out,
                           isw_error *error);

/* event.c: what a queue or a timer of the Azure Functions host tells, as those of ours do. */
bool iswi_azure_event(iswi_azure_call *call);

/* What the function says of it while it runs, as an event of its call; and what the answer is
 * then, in the place of what it was. */
void iswi_azure_told(void *user, isw_str name, const isw_value *value);
void iswi_azure_judge(iswi_azure_call *call, iswi_answer *answer);

/* lines.c: lines of the log, from now on. */
isw_status iswi_azure_listen(iswi_azure *azure, isw_error *error);

/* outputs.c: what a box keeps, as the response has it, in the arena of the record; false: no
 * memory. */
bool iswi_azure_outputs(const iswi_outbox *box, iswi_arena *arena, iswi_proto_list *out);

#endif
