/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies in pieces: events that arrive as they happen, and an upload of any size in 16 KiB.
 *
 * RUN     isoworker run samples/streaming
 *         curl -N http://127.0.0.1:7071/api/ticks
 *         head -c 1G /dev/zero | curl -T - http://127.0.0.1:7071/api/upload
 * OUTPUT  id: 1
 *         data: tick 1
 *         ... and so on to 5, then
 *         1073741824 bytes, checksum 811c9dc5
 */
#include <isoworker/isoworker.h>
#include <stdlib.h>

/* A browser that lost the connection says which event it saw last, and goes on from there. */
static isw_status ticks(isw_context *ctx)
{
    const char *last = isw_http_header(ctx, "last-event-id");
    isw_status status = ISW_OK;

    for (int i = last ? atoi(last) + 1 : 1; i <= 5 && status == ISW_OK; i++) {
        isw_event tick = { .id = isw_context_printf(ctx, "%d", i),
                           .data = isw_context_printf(ctx, "tick %d", i) };

        status = isw_http_event(ctx, &tick);
        isw_context_sleep(ctx, 10);
    }
    return status;
}

/* The checksum is FNV-1a. */
static isw_status upload(isw_context *ctx)
{
    unsigned char piece[16384];
    unsigned long long total = 0;
    unsigned checksum = 2166136261u;
    size_t got;

    do {
        isw_status status = isw_http_read(ctx, piece, sizeof piece, &got);

        if (status != ISW_OK)
            return status;
        for (size_t i = 0; i < got; i++)
            checksum = (checksum ^ piece[i]) * 16777619u;
        total += got;
    } while (got);
    return isw_http_reply(ctx, 200, "text/plain", "%llu bytes, checksum %x\n", total, checksum);
}

static const isw_function functions[] = {
    { .name = "ticks", .trigger = ISW_HTTP("GET", "ticks"), .handler = ticks },
    { .name = "upload", .trigger = ISW_HTTP("PUT", "upload"), .handler = upload, .streams = true },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
