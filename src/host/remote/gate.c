/* SPDX-License-Identifier: Apache-2.0 */
/* Listening for the processes of one remote worker. */
#include "host/remote/gate.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/reactors.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { STRANGERS_MOST = 64 };

/* -- Who comes --------------------------------------------------------------------------------- */

static void name_peer(const struct sockaddr_storage *from, char out[ISWI_ADDRESS_BYTES])
{
    iswi_address address = { .kind = ISWI_ADDRESS_IP };

    memcpy(&address.ip, from, sizeof address.ip);
    iswi_address_write(&address, out);
}

static void on_listener(iswi_watch *watch, uint32_t events)
{
    iswi_gate *gate = (iswi_gate *)((char *)watch - offsetof(iswi_gate, watch));
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    socklen_t size = sizeof from;
    char who[ISWI_ADDRESS_BYTES];
    int fd = accept4(watch->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    name_peer(&from, who);
    if (gate->strangers < STRANGERS_MOST) {
        iswi_visitor_come(gate, fd, who);
        return;
    }
    iswi_gate_refuse(gate, who, "too many others have not said who they are");
    close(fd);
}

/* -- Life -------------------------------------------------------------------------------------- */

static void say_tls(void *user, isw_log_level level, const char *text)
{
    const iswi_gate *gate = user;

    iswi_say(gate->host, level, "worker %s: %s", gate->worker, text);
}

static isw_status listen_at(iswi_gate *gate, const char *text, iswi_legacy *legacy,
                            isw_error *error)
{
    const iswi_listen_options options = { .setting = gate->setting, .legacy = legacy };
    iswi_address address;

    if (iswi_address_read(text, "remote.listen", &address, error) != ISW_OK)
        return error->status;
    return iswi_listen_open(&address, 1, &options, &gate->listeners, error);
}

isw_status iswi_gate_create(iswi_host *host, const iswi_worker_settings *settings,
                            iswi_legacy *legacy, iswi_gate **out, isw_error *error)
{
    iswi_gate *gate = iswi_calloc(1, sizeof *gate);
    isw_error own = { ISW_OK, "" };
    bool secure;
    const char *text = iswi_remote_address(&settings->remote, &secure);

    if (!gate)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a gate");
    gate->host = host;
    gate->worker = settings->name;
    gate->listen = settings->remote.listen;
    snprintf(gate->setting, sizeof gate->setting, "remote.listen of %s", settings->name);
    gate->prepared = true;
    gate->options = (iswi_tls_options){
        .first = { settings->remote.certificate, settings->remote.key },
        .client_ca = settings->remote.client_ca, .say = say_tls, .user = gate,
    };
    if (iswi_host_reactor(host, 0, &gate->reactor, &own) == ISW_OK &&
        (!secure || iswi_tls_create(&gate->options, &gate->tls, NULL, &own) == ISW_OK) &&
        listen_at(gate, text, legacy, &own) == ISW_OK) {
        *out = gate;
        return ISW_OK;
    }
    isw_error_set(error, own.status, "worker %s: remote: %s", settings->name, own.message);
    iswi_gate_destroy(gate);
    return error->status;
}

static void begin(void *user)
{
    iswi_gate *gate = user;

    gate->watch = (iswi_watch){ gate->listeners.items[0].fd, on_listener };
    gate->open = iswi_watch_begin(gate->reactor, &gate->watch, EPOLLIN);
}

/* As host.yaml has it, but for a port that it leaves open. */
static void name_place(const iswi_gate *gate, char out[ISWI_LISTEN_URL_BYTES + 8])
{
    const char *port = strrchr(gate->listen, ':');
    const char *own = strstr(gate->listeners.items[0].url, "://");

    if (strcmp(port, ":0") == 0)
        snprintf(out, ISWI_LISTEN_URL_BYTES + 8, "%s%s", gate->tls ? "tls+tcp" : "tcp", own);
    else
        snprintf(out, ISWI_LISTEN_URL_BYTES + 8, "%s", gate->listen);
}

void iswi_gate_open(iswi_gate *gate)
{
    char at[ISWI_LISTEN_URL_BYTES + 8];

    name_place(gate, at);
    gate->prepared = false;
    iswi_reactor_call(gate->reactor, begin, gate);
    if (!gate->open)
        iswi_say(gate->host, ISW_LOG_ERROR, "worker %s: nobody can come: %s", gate->worker,
                 strerror(errno));
    else if (gate->tls)
        iswi_say(gate->host, ISW_LOG_INFO, "worker %s: its processes may come to %s (ISOWORKER_URL; "
                 "isoworker(1) has the other variables)", gate->worker, at);
    else
        iswi_say(gate->host, ISW_LOG_WARNING,
                 "worker %s: its processes may come to %s, INSECURE as host.yaml says: whoever "
                 "sees the network there can read and change all, and come in its place",
                 gate->worker, at);
}

static void shut(void *user)
{
    iswi_gate *gate = user;

    if (gate->open)
        iswi_watch_end(gate->reactor, &gate->watch);
    gate->open = false;
}

void iswi_gate_shut(iswi_gate *gate)
{
    gate->shut = true;
    iswi_reactor_call(gate->reactor, shut, gate);
    iswi_listen_close(&gate->listeners);
}

static void close_all(void *user)
{
    iswi_gate *gate = user;

    shut(gate);
    while (gate->visitors)
        iswi_visitor_end(gate->visitors);
}

static void nothing(void *user)
{
    (void)user;
}

void iswi_gate_destroy(iswi_gate *gate)
{
    if (!gate)
        return;
    if (gate->reactor) {
        iswi_reactor_call(gate->reactor, close_all, gate);
        iswi_reactor_call(gate->reactor, nothing, NULL); /* what was deferred has run then */
    }
    iswi_listen_fini(&gate->listeners);
    iswi_tls_destroy(gate->tls);
    iswi_free(gate);
}
