/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of a queue on NATS: a bare client that publishes so many to a stream and waits for the
 * answers, and one that fetches and acknowledges so many, of which the last is answered. */
#include "bench/clock.h"
#include "bench/queue/measure.h"

#ifdef ISWI_BENCH_NATS

#include "broker/nats/calls.h"

#include <stdlib.h>
#include <string.h>

#define FLOOR_CALLS(call)                                                                         \
    call(natsOptions_Create) call(natsOptions_SetURL) call(natsOptions_SetSendAsap)               \
    call(natsOptions_Destroy) call(natsConnection_Connect) call(natsConnection_Destroy)           \
    call(natsConnection_JetStream)                                                                \
    call(jsCtx_Destroy) call(jsStreamConfig_Init) call(js_AddStream) call(js_DeleteStream)        \
    call(js_Publish) call(js_PublishAsync) call(js_PublishAsyncComplete) call(js_PullSubscribe)   \
    call(natsSubscription_Fetch) call(natsSubscription_Destroy) call(natsMsg_Ack)                 \
    call(natsMsg_AckSync) call(natsMsgList_Destroy) call(natsStatus_GetText)

typedef struct floor_calls {
    FLOOR_CALLS(ISWI_NATS_MEMBER)
} floor_calls;

#define PLACE(name) { #name, offsetof(floor_calls, name) },

static const iswi_nats_symbol places[] = { FLOOR_CALLS(PLACE) };

static const char STREAM[] = "isoworker_bench_floor", SUBJECT[] = "isoworker_bench.floor";

enum { PREFILL = 4000, FETCH_MS = 5000 };

typedef struct floor_stream {
    floor_calls lib;
    natsConnection *conn;
    jsCtx *js;
    natsSubscription *sub;
    int64_t there;
} floor_stream;

static bool is_well(const floor_stream *of, natsStatus status, isw_error *error)
{
    if (status != NATS_OK)
        isw_error_set(error, ISW_E_IO, "NATS: %s", of->lib.natsStatus_GetText(status));
    return status == NATS_OK;
}

static void close_floor(void *self)
{
    floor_stream *of = self;

    if (of->js)
        of->lib.js_DeleteStream(of->js, STREAM, NULL, NULL);
    if (of->conn) {
        of->lib.natsSubscription_Destroy(of->sub);
        of->lib.jsCtx_Destroy(of->js);
        of->lib.natsConnection_Destroy(of->conn);
    }
    free(of);
}

/* What is sent leaves at once: otherwise libnats gathers it for a millisecond. */
static natsStatus connect(floor_stream *of, const char *place)
{
    natsOptions *options = NULL;
    natsStatus status = of->lib.natsOptions_Create(&options);

    if (status == NATS_OK)
        status = of->lib.natsOptions_SetURL(options, place);
    if (status == NATS_OK)
        status = of->lib.natsOptions_SetSendAsap(options, true);
    if (status == NATS_OK)
        status = of->lib.natsConnection_Connect(&of->conn, options);
    of->lib.natsOptions_Destroy(options);
    return status;
}

static natsStatus begin(floor_stream *of, const char *place)
{
    const char *subjects[] = { SUBJECT };
    jsStreamConfig config;
    natsStatus status = connect(of, place);

    if (status == NATS_OK)
        status = of->lib.natsConnection_JetStream(&of->js, of->conn, NULL);
    if (status != NATS_OK)
        return status;
    of->lib.js_DeleteStream(of->js, STREAM, NULL, NULL);
    of->lib.jsStreamConfig_Init(&config);
    config.Name = STREAM;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Retention = js_WorkQueuePolicy;
    config.Storage = js_FileStorage;
    status = of->lib.js_AddStream(NULL, of->js, &config, NULL, NULL);
    return status != NATS_OK ? status
                             : of->lib.js_PullSubscribe(&of->sub, of->js, SUBJECT, "floor", NULL,
                                                        NULL, NULL);
}

static bool open_floor(const char *place, void **self, isw_error *error)
{
    floor_stream *of = calloc(1, sizeof *of);

    if (of && iswi_nats_find(places, sizeof places / sizeof *places, &of->lib, error) == ISW_OK &&
        is_well(of, begin(of, place), error)) {
        *self = of;
        return true;
    }
    if (of)
        close_floor(of);
    return false;
}

static bool publish(void *self, const iswi_bench_queue_work *work, unsigned count,
                    isw_error *error)
{
    floor_stream *of = self;
    const int size = (int)work->body_bytes;
    natsStatus status = NATS_OK;

    of->there += count;
    if (count == 1)
        return is_well(of, of->lib.js_Publish(NULL, of->js, SUBJECT, work->body, size, NULL, NULL),
                       error);
    for (unsigned i = 0; i < count && status == NATS_OK; i++)
        status = of->lib.js_PublishAsync(of->js, SUBJECT, work->body, size, NULL);
    if (status == NATS_OK)
        status = of->lib.js_PublishAsyncComplete(of->js, NULL);
    return is_well(of, status, error);
}

static bool put(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error)
{
    return iswi_bench_queue_put_batches(publish, self, work, out, error);
}

/* How many there were. */
static int fetch(floor_stream *of, int count, isw_error *error)
{
    natsMsgList list = { 0 };
    natsStatus status =
        of->lib.natsSubscription_Fetch(&list, of->sub, count, FETCH_MS, NULL);
    const int got = list.Count;

    for (int i = 0; i < got && status == NATS_OK; i++)
        status = i + 1 < got ? of->lib.natsMsg_Ack(list.Msgs[i], NULL)
                             : of->lib.natsMsg_AckSync(list.Msgs[i], NULL, NULL);
    of->lib.natsMsgList_Destroy(&list);
    of->there -= got;
    return is_well(of, status, error) ? got : 0;
}

static bool complete(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error)
{
    floor_stream *of = self;

    while (!iswi_bench_is_over(work->until_ns)) {
        int64_t begun_ns;
        int got;

        while (of->there < PREFILL / 2)
            if (!publish(of, work, ISWI_BENCH_QUEUE_MOST, error))
                return false;
        begun_ns = iswi_bench_now_ns();
        got = fetch(of, (int)work->in_flight, error);
        if (got == 0)
            return false;
        out->elapsed_ns += iswi_bench_now_ns() - begun_ns;
        out->done += (unsigned)got;
    }
    return true;
}

const iswi_bench_queue_store iswi_bench_queue_floor_nats = {
    .name = "floor",
    .open = open_floor,
    .close = close_floor,
    .put = put,
    .complete = complete,
};

#else

static bool open_floor(const char *place, void **self, isw_error *error)
{
    (void)place;
    (void)self;
    isw_error_set(error, ISW_E_UNSUPPORTED, "this build is without NATS; on Debian: apt-get install "
                                            "libnats-dev, and build it again");
    return false;
}

const iswi_bench_queue_store iswi_bench_queue_floor_nats = {
    .name = "floor",
    .open = open_floor,
};

#endif
