/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what a front listens at. Nothing is accepted there before the listener has it. */
#include "host/http/connection.h"

#include "base/alloc.h"

#include <netinet/tcp.h>

static isw_status open_sockets(const iswi_http *http, const iswi_http_options *options,
                               iswi_legacy *legacy, iswi_listeners *out, isw_error *error)
{
    const iswi_listen_options how = { .setting = http->listener.setting,
                                      .folder = options->folder,
                                      .legacy = legacy ? legacy : options->legacy,
                                      .mode = options->socket_mode ? options->socket_mode : 0660 };
    iswi_address standard;

    *out = (iswi_listeners){ NULL, 0 };
    if (options->indoors)
        return ISW_OK;
    if (options->listen)
        return iswi_listen_open(options->listen, options->listen_count, &how, out, error);
    iswi_address_read("127.0.0.1:7071", how.setting, &standard, NULL);
    return iswi_listen_open(&standard, 1, &how, out, error);
}

static void make_door(iswi_http *http, const iswi_listener *socket, iswi_http_door *out)
{
    const int on = 1;

    *out = (iswi_http_door){ { .fd = socket->fd }, http, socket->local, socket->secure };
    /* What is accepted has it from there: an answer is written in one piece. */
    if (!socket->local)
        setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

isw_status iswi_http_doors_open(iswi_http *http, const iswi_http_options *options,
                                iswi_legacy *legacy, iswi_http_doors **out, isw_error *error)
{
    iswi_http_doors *doors = iswi_calloc(1, sizeof *doors);
    isw_status status;

    if (!doors)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    status = open_sockets(http, options, legacy, &doors->sockets, error);
    if (status != ISW_OK) {
        iswi_free(doors);
        return status;
    }
    doors->items = iswi_calloc(doors->sockets.count + 1, sizeof *doors->items);
    doors->stays = iswi_calloc((legacy ? legacy->count : 0) + 1, sizeof *doors->stays);
    if (!doors->items || !doors->stays) {
        iswi_http_doors_free(doors);
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    }
    for (size_t i = 0; i < doors->sockets.count; i++)
        make_door(http, &doors->sockets.items[i], &doors->items[i]);
    for (size_t i = 0; legacy && i < legacy->count; i++)
        doors->stays[i] = legacy->items[i].fd < 0; /* it was taken */
    *out = doors;
    return ISW_OK;
}

void iswi_http_doors_free(iswi_http_doors *doors)
{
    if (!doors)
        return;
    iswi_listen_fini(&doors->sockets);
    iswi_free(doors->items);
    iswi_free(doors->stays);
    iswi_free(doors);
}
