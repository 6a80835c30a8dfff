/* SPDX-License-Identifier: Apache-2.0 */
/* The Azure Functions host to one language worker, as far as it calls a function "http". Invariant:
 * an invocation is in flight until its response has come, and the answer to its request if that was
 * forwarded. */
#include "bench/hosts/foreign.h"

#include "bench/clock.h"
#include "bench/hosts/forwarded.h"
#include "bench/hosts/session.h"
#include "bench/http/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, READY_MOST = 64, ID_BYTES = 40 };

/* One invocation at a time. */
typedef struct slot {
    char id[ID_BYTES];
    unsigned awaited; /* what is not there yet; 0: it is not in flight */
    int64_t started_ns;
    iswi_bench_forwarded forwarded; /* fd -1: HTTP comes in messages */
} slot;

typedef struct rpc {
    iswi_bench_foreign_options options;
    int listener, epoll;
    bool connected, loaded;
    iswi_bench_session session;
    iswi_arena arena;
    char url[64], function[64];
    slot slots[ISWI_BENCH_FOREIGN_MOST];
    uint64_t count;    /* invocations so far */
    unsigned in_flight;
    iswi_bench_samples *samples;
    int64_t until_ns;
} rpc;

static bool open_rpc(const iswi_bench_foreign_options *options, void **self, unsigned *port)
{
    rpc *r = calloc(1, sizeof *r);
    struct epoll_event event = { .events = EPOLLIN };

    if (!r)
        return false;
    r->options = *options;
    iswi_arena_init(&r->arena, 4096);
    r->listener = iswi_bench_listen(port);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < ISWI_BENCH_FOREIGN_MOST; i++)
        r->slots[i].forwarded.fd = -1;
    *self = r;
    return r->listener >= 0 && r->epoll >= 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &event) == 0;
}

static void close_rpc(void *self)
{
    rpc *r = self;

    if (r->connected)
        iswi_bench_session_end(&r->session);
    for (unsigned i = 0; i < ISWI_BENCH_FOREIGN_MOST; i++)
        if (r->slots[i].forwarded.fd >= 0)
            close(r->slots[i].forwarded.fd);
    if (r->listener >= 0)
        close(r->listener);
    if (r->epoll >= 0)
        close(r->epoll);
    iswi_arena_fini(&r->arena);
    free(r);
}

/* -- Invocations ------------------------------------------------------------------------------- */

static void say_invoke(rpc *r, slot *s)
{
    static const isw_pair headers[] = { { { "Host", 4 }, { "127.0.0.1:7071", 14 } },
                                        { { "Accept", 6 }, { "*/*", 3 } } };
    const iswi_rpc_http whole = { .method = isw_str_of("GET"),
                                  .url = isw_str_of("http://127.0.0.1:7071/api/http"),
                                  .headers = { headers, 2 } };
    const iswi_rpc_http nothing = { .method = { NULL, 0 } };
    const iswi_rpc_data data = { .which = ISWI_RPC_HTTP,
                                 .as.http = r->options.forwards ? &nothing : &whole };
    const iswi_rpc_named input = { isw_str_of("req"), 2, &data };
    const iswi_rpc_trace trace = {
        .parent = isw_str_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    };
    const iswi_rpc_invoke invoke = { .invocation_id = isw_str_of(s->id),
                                     .function_id = isw_str_of(r->function),
                                     .inputs = { &input, 1 },
                                     .trace = &trace };

    iswi_bench_session_say(&r->session, &(iswi_rpc_message){ .request_id = isw_str_of("bench"),
                                                             .which = ISWI_RPC_INVOKE,
                                                             .as.invoke = &invoke });
}

static bool start(rpc *r, unsigned at)
{
    slot *s = &r->slots[at];

    snprintf(s->id, sizeof s->id, "6b5a6f0e-6c5e-4f0e-%04x-%012llx", at,
             (unsigned long long)r->count++ & 0xffffffffffff);
    s->awaited = r->options.forwards ? 2 : 1;
    r->in_flight++;
    s->started_ns = iswi_bench_now_ns();
    say_invoke(r, s);
    return !r->options.forwards || iswi_bench_forwarded_send(&s->forwarded, s->id);
}

/* One more part of it is there. */
static bool come(rpc *r, unsigned at)
{
    slot *s = &r->slots[at];

    if (!s->awaited)
        return false; /* it was there already */
    if (--s->awaited)
        return true;
    r->in_flight--;
    iswi_bench_note(r->samples, iswi_bench_now_ns() - s->started_ns);
    return iswi_bench_is_over(r->until_ns) || start(r, at);
}

/* Its answer says what it is to say, unless that went by itself. */
static bool is_right(const rpc *r, const iswi_rpc_invoke_done *done)
{
    const iswi_rpc_data *data = done->returned;
    isw_bytes body;

    if (!done->result || done->result->status != ISWI_RPC_SUCCESS)
        return false;
    if (r->options.forwards)
        return true;
    if (!data || data->which != ISWI_RPC_HTTP || !data->as.http->body)
        return false;
    body = data->as.http->body->as.bytes;
    return memmem(body.data, body.size, ISWI_BENCH_HELLO, sizeof ISWI_BENCH_HELLO - 1) != NULL;
}

static bool on_done(rpc *r, const iswi_rpc_invoke_done *done)
{
    const isw_str id = done->invocation_id;
    const unsigned at = id.size == 36 ? (unsigned)strtoul(id.data + 19, NULL, 16) : UINT32_MAX;

    return at < ISWI_BENCH_FOREIGN_MOST && isw_str_equal(id, isw_str_of(r->slots[at].id)) &&
           is_right(r, done) && come(r, at);
}

/* -- The worker's start ------------------------------------------------------------------------ */

static void on_init_done(rpc *r, const iswi_rpc_init_done *done)
{
    const isw_str *url = isw_pairs_find(&done->capabilities, "HttpUri");
    const iswi_rpc_index index = { { NULL, 0 } };

    if (url)
        snprintf(r->url, sizeof r->url, "%.*s", (int)url->size, url->data);
    iswi_bench_session_say(&r->session, &(iswi_rpc_message){ .which = ISWI_RPC_INDEX,
                                                             .as.index = &index });
}

static bool on_index_done(rpc *r, const iswi_rpc_index_done *done)
{
    const iswi_rpc_function *functions = done->functions.items;
    size_t i = 0;

    while (i < done->functions.count &&
           !isw_str_equal(functions[i].name, isw_str_of("http")))
        i++;
    if (i == done->functions.count)
        return false;
    snprintf(r->function, sizeof r->function, "%.*s", (int)functions[i].function_id.size,
             functions[i].function_id.data);
    iswi_bench_session_say(&r->session,
        &(iswi_rpc_message){ .which = ISWI_RPC_LOAD,
                             .as.load = &(iswi_rpc_load){ functions[i].function_id,
                                                          &functions[i] } });
    return true;
}

static void on_start(rpc *r)
{
    const iswi_rpc_init init = { .host_version = isw_str_of("4.1000.0") };

    iswi_bench_session_say(&r->session, &(iswi_rpc_message){ .which = ISWI_RPC_INIT,
                                                             .as.init = &init });
}

static bool hear(rpc *r, const iswi_rpc_message *message)
{
    switch ((int)message->which) {
    case ISWI_RPC_INVOKE_DONE:
        return on_done(r, message->as.invoke_done);
    case ISWI_RPC_START:
        on_start(r);
        return true;
    case ISWI_RPC_INIT_DONE:
        on_init_done(r, message->as.init_done);
        return true;
    case ISWI_RPC_INDEX_DONE:
        return on_index_done(r, message->as.index_done);
    case ISWI_RPC_LOAD_DONE:
        r->loaded = true;
        return true;
    default: /* lines of a log */
        return true;
    }
}

/* -- All that comes ---------------------------------------------------------------------------- */

static bool hear_all(rpc *r)
{
    iswi_rpc_message message;
    isw_error error = { ISW_OK, "" };
    isw_bytes bytes;
    bool well = iswi_bench_session_take(&r->session);

    while (well && iswi_bench_session_first(&r->session, &bytes)) {
        iswi_arena_reset(&r->arena);
        well = iswi_proto_read(&iswi_rpc_message_table, bytes, &r->arena, &message, &error) ==
                   ISW_OK &&
               hear(r, &message);
        iswi_bench_session_drop(&r->session, bytes);
    }
    return well;
}

static bool watch(rpc *r, int fd, void *what)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool accept_one(rpc *r)
{
    const int fd = r->connected ? -1 : accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);

    r->connected = fd >= 0 && iswi_bench_session_begin(&r->session, fd);
    return r->connected && watch(r, fd, &r->session);
}

static bool take(rpc *r, void *what)
{
    slot *s = what;
    bool over;

    if (!what)
        return accept_one(r);
    if (what == &r->session)
        return hear_all(r);
    return iswi_bench_forwarded_take(&s->forwarded, &over) &&
           (!over || come(r, (unsigned)(s - r->slots)));
}

static bool turn(rpc *r)
{
    struct epoll_event ready[READY_MOST];
    const int count = epoll_wait(r->epoll, ready, READY_MOST, PATIENCE_MS);
    bool well = count > 0;

    for (int i = 0; well && i < count; i++)
        well = take(r, ready[i].data.ptr);
    return well && (!r->connected || iswi_bench_session_flush(&r->session));
}

/* -- Its table --------------------------------------------------------------------------------- */

static bool connect_all(rpc *r)
{
    const char *port = strrchr(r->url, ':');
    bool well = !r->options.forwards || port;

    for (unsigned i = 0; well && r->options.forwards && i < r->options.in_flight; i++) {
        int *fd = &r->slots[i].forwarded.fd;

        *fd = iswi_bench_connect((unsigned)strtoul(port + 1, NULL, 10), PATIENCE_MS);
        well = *fd >= 0 && watch(r, *fd, &r->slots[i]);
    }
    return well;
}

static bool greet(void *self, unsigned port)
{
    rpc *r = self;

    (void)port;
    while (!r->loaded)
        if (!turn(r))
            return false;
    return connect_all(r);
}

static bool run(void *self, iswi_bench_samples *samples, iswi_bench_samples *answers, int64_t ns)
{
    rpc *r = self;
    const int64_t began_ns = iswi_bench_now_ns();
    bool well = true;

    (void)answers;
    r->samples = samples;
    r->until_ns = began_ns + ns;
    for (unsigned i = 0; well && i < r->options.in_flight; i++)
        well = start(r, i);
    well = well && iswi_bench_session_flush(&r->session);
    while (well && r->in_flight)
        well = turn(r);
    samples->elapsed_ns = iswi_bench_now_ns() - began_ns;
    return well;
}

const iswi_bench_foreign iswi_bench_foreign_rpc = { open_rpc, greet, run, close_rpc };
