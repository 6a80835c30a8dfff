/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: libnats reads and writes when it is told to, on our thread, and nothing is waited
 * for without an end. One that is lost is not mended but made anew, by the broker. */
#include "broker/nats/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>

/* So long it may take to connect; what the library would ask by itself it need not. */
enum { CONNECT_MS = 5000, NEVER_MS = 24 * 3600 * 1000, READ_BYTES = 256 * 1024 };

/* After so long a silence the other end is asked whether it is there, and so often again after half
 * of that: a machine that is gone, or a network that is cut, is seen after 25 seconds. */
enum { ALIVE_S = 10, ALIVE_TIMES = 3 };

bool iswi_nats_lose(iswi_nats *nats, const char *why)
{
    if (nats->is_lost)
        return false;
    nats->is_lost = true;
    memset(&nats->fault, 0, sizeof nats->fault);
    isw_error_set(&nats->fault, ISW_E_UNAVAILABLE, "NATS at %s cannot be reached: %s",
                  iswi_nats_server(nats), why && *why ? why : "the server is gone");
    return false;
}

const char *iswi_nats_server(const iswi_nats *nats)
{
    return nats->address.servers[nats->server];
}

const char *iswi_nats_last_error(iswi_nats *nats, const char *otherwise)
{
    const char *text = NULL;

    nats->lib.natsConnection_GetLastError(nats->conn, &text);
    return text && *text ? text : otherwise;
}

static bool lose_closed(iswi_nats *nats)
{
    return iswi_nats_lose(nats,
                          iswi_nats_last_error(nats, "the server has closed the connection"));
}

/* -- Options ----------------------------------------------------------------------------------- */

/* The kernel asks whether the other end is there, without waking us. */
static void keep_alive(int socket)
{
    static const struct { int level, name, value; } rows[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_S },
        { IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_S / 2 },
        { IPPROTO_TCP, TCP_KEEPCNT, ALIVE_TIMES },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, (ALIVE_S + ALIVE_TIMES * ALIVE_S / 2) * 1000 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) /* as well as it can */
        (void)setsockopt(socket, rows[i].level, rows[i].name, &rows[i].value, sizeof(int));
}

static natsStatus on_attach(void **data, void *loop, natsConnection *conn, natsSock socket)
{
    iswi_nats *nats = loop;

    (void)conn;
    keep_alive(socket);
    nats->socket = socket;
    *data = nats;
    return NATS_OK;
}

/* What there is to do is seen from the connection. */
static natsStatus on_wish(void *data, bool add)
{
    (void)data;
    (void)add;
    return NATS_OK;
}

static natsStatus on_detach(void *data)
{
    ((iswi_nats *)data)->socket = -1;
    return NATS_OK;
}

/* Relative to the folder of the host; "" for no memory, which no file is. */
static const char *path_of(iswi_nats *nats, const char *file)
{
    iswi_buffer_reset(&nats->text);
    if (*file != '/')
        iswi_buffer_printf(&nats->text, "%s/", nats->options->folder);
    iswi_buffer_append_text(&nats->text, file);
    return nats->text.failed ? "" : iswi_buffer_text(&nats->text);
}

static natsStatus set_certificates(iswi_nats *nats, natsOptions *options, const char *server)
{
    const iswi_nats_address *of = &nats->address;
    char host[256];
    char cert[1024];
    natsStatus status;

    snprintf(host, sizeof host, "%.*s", (int)strcspn(server, ":"), server);
    status = nats->lib.natsOptions_SetSecure(options, true);
    if (status == NATS_OK)
        status = nats->lib.natsOptions_SetExpectedHostname(options, host);
    if (status == NATS_OK)
        status = nats->lib.natsOptions_LoadCATrustedCertificates(
            options, of->ca ? path_of(nats, of->ca) : "/etc/ssl/certs/ca-certificates.crt");
    if (status == NATS_OK && of->cert) {
        snprintf(cert, sizeof cert, "%s", path_of(nats, of->cert));
        status = nats->lib.natsOptions_LoadCertificatesChain(options, cert,
                                                             path_of(nats, of->key));
    }
    return status;
}

static natsStatus set_address(iswi_nats *nats, natsOptions *options, const char *server)
{
    const iswi_nats_address *of = &nats->address;

    iswi_buffer_reset(&nats->text);
    iswi_buffer_printf(&nats->text, "nats://%s%s%s", of->user ? of->user : "",
                       of->user ? "@" : "", server);
    if (nats->text.failed)
        return NATS_NO_MEMORY;
    return nats->lib.natsOptions_SetURL(options, iswi_buffer_text(&nats->text));
}

static natsStatus set_options(iswi_nats *nats, natsOptions *options, const char *server)
{
    const iswi_nats_calls *lib = &nats->lib;
    natsStatus status = set_address(nats, options, server);

    if (status == NATS_OK)
        status = lib->natsOptions_SetName(options, "isoworker");
    if (status == NATS_OK)
        status = lib->natsOptions_SetTimeout(options, CONNECT_MS);
    if (status == NATS_OK)
        status = lib->natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = lib->natsOptions_SetPingInterval(options, NEVER_MS);
    if (status == NATS_OK)
        status = lib->natsOptions_SetIOBufSize(options, READ_BYTES);
    if (status == NATS_OK)
        status = lib->natsOptions_SetEventLoop(options, nats, on_attach, on_wish, on_wish,
                                               on_detach);
    if (status == NATS_OK && nats->address.creds)
        status = lib->natsOptions_SetUserCredentialsFromFiles(
            options, path_of(nats, nats->address.creds), NULL);
    if (status == NATS_OK && nats->address.nkey)
        status = lib->natsOptions_SetNKeyFromSeed(options, nats->address.nkey,
                                                  path_of(nats, nats->address.seed));
    if (status == NATS_OK && strcmp(nats->address.scheme, "tls") == 0)
        status = set_certificates(nats, options, server);
    return status;
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static bool subscribe(iswi_nats *nats, int which, const char *subject)
{
    const iswi_nats_calls *lib = &nats->lib;

    return lib->natsConnection_SubscribeSync(&nats->subs[which], nats->conn, subject) == NATS_OK &&
           lib->natsSubscription_SetPendingLimits(nats->subs[which], -1, -1) == NATS_OK;
}

static bool subscribe_all(iswi_nats *nats)
{
    static const char *const ends[] = { "r.*", "n.*", "w.*" };
    unsigned char random[12] = { 0 };
    char digits[25];
    char subject[128];

    iswi_random(random, sizeof random);
    iswi_hex(random, sizeof random, digits);
    snprintf(nats->inbox, sizeof nats->inbox, "_INBOX.%s.", digits);
    for (int i = 0; i < ISWI_NATS_TOLD; i++) {
        snprintf(subject, sizeof subject, "%s%s", nats->inbox, ends[i]);
        if (!subscribe(nats, i, subject))
            return false;
    }
    snprintf(subject, sizeof subject, "%s.told", nats->address.prefix);
    return subscribe(nats, ISWI_NATS_TOLD, subject);
}

/* To the one whose turn it is. */
static natsStatus connect_one(iswi_nats *nats, const char *server)
{
    natsOptions *options = NULL;
    natsStatus status = nats->lib.natsOptions_Create(&options);

    if (status == NATS_OK)
        status = set_options(nats, options, server);
    if (status == NATS_OK)
        status = nats->lib.natsConnection_Connect(&nats->conn, options);
    nats->lib.natsOptions_Destroy(options);
    return status;
}

/* To the first that can be had; else, at the one that it began with again, why not of each. */
static bool connect_any(iswi_nats *nats, char *why, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < nats->address.server_count; i++) {
        const natsStatus status = connect_one(nats, iswi_nats_server(nats));
        const char *text = nats->lib.nats_GetLastError(NULL);

        if (status == NATS_OK)
            return true;
        if (i && used < size)
            used += (size_t)snprintf(why + used, size - used, "; at %s: ", iswi_nats_server(nats));
        if (used < size)
            used += (size_t)snprintf(why + used, size - used, "%s",
                                     text && *text ? text : nats->lib.natsStatus_GetText(status));
        nats->server = (nats->server + 1) % nats->address.server_count;
    }
    return false;
}

bool iswi_nats_connect(iswi_nats *nats, isw_error *error)
{
    char why[ISW_ERROR_MESSAGE_BYTES / 2] = "there is no memory for what is heard";
    bool well;

    iswi_nats_disconnect(nats);
    well = connect_any(nats, why, sizeof why);
    nats->is_lost = false;
    nats->heard_ns = iswi_now_ns();
    if (well && subscribe_all(nats))
        return true;
    iswi_nats_lose(nats, why);
    isw_error_set(error, ISW_E_UNAVAILABLE, "%s", nats->fault.message);
    return false;
}

void iswi_nats_disconnect(iswi_nats *nats)
{
    for (int i = 0; i < ISWI_NATS_SUBS; i++) {
        nats->lib.natsSubscription_Destroy(nats->subs[i]);
        nats->subs[i] = NULL;
    }
    if (nats->conn && !nats->is_lost)
        iswi_nats_turn(nats, 0); /* what was said is sent; the library would wait for an answer */
    nats->lib.natsConnection_Destroy(nats->conn);
    nats->conn = NULL;
    nats->socket = -1;
}

/* -- Sending and reading ----------------------------------------------------------------------- */

bool iswi_nats_send(iswi_nats *nats, natsMsg *msg)
{
    const natsStatus status =
        msg ? nats->lib.natsConnection_PublishMsg(nats->conn, msg) : NATS_NO_MEMORY;

    nats->lib.natsMsg_Destroy(msg);
    return status == NATS_OK || iswi_nats_lose(nats, nats->lib.natsStatus_GetText(status));
}

bool iswi_nats_say(iswi_nats *nats, const char *subject, const char *reply, const char *text)
{
    natsMsg *msg = NULL;

    nats->lib.natsMsg_Create(&msg, subject, reply, text, (int)strlen(text));
    return iswi_nats_send(nats, msg);
}

/* What the library has read. That nobody is behind a subject is told without saying which: there is
 * no JetStream, or a stream of ours was taken away. */
static bool take_all(iswi_nats *nats)
{
    for (int i = 0; i < ISWI_NATS_SUBS; i++) {
        natsMsg *msg = NULL;
        natsStatus status;

        if (!nats->subs[i])
            continue;
        while ((status = nats->lib.natsSubscription_NextMsg(&msg, nats->subs[i], 0)) == NATS_OK)
            nats->take(nats, msg, i);
        if (status == NATS_NO_RESPONDERS)
            return iswi_nats_lose(nats, "its JetStream does not answer: is it enabled there, for "
                                        "this account? Has a cluster lost most of its servers?");
        if (status != NATS_TIMEOUT)
            return lose_closed(nats);
    }
    return true;
}

bool iswi_nats_turn(iswi_nats *nats, int64_t wait_ms)
{
    const iswi_nats_calls *lib = &nats->lib;
    struct pollfd on = { .fd = nats->socket, .events = POLLIN };
    int ready;

    if (nats->is_lost)
        return false;
    if (lib->natsConnection_Buffered(nats->conn) > 0)
        lib->natsConnection_ProcessWriteEvent(nats->conn);
    if (lib->natsConnection_Buffered(nats->conn) > 0)
        on.events |= POLLOUT;
    ready = wait_ms >= 0 ? poll(&on, 1, (int)wait_ms) : 0;
    if (ready < 0 && errno != EINTR)
        return iswi_nats_lose(nats, "the connection cannot be waited for");
    if (ready > 0 && (on.revents & ~POLLOUT)) {
        nats->heard_ns = iswi_now_ns();
        lib->natsConnection_ProcessReadEvent(nats->conn);
        if (!take_all(nats))
            return false;
    }
    return !lib->natsConnection_IsClosed(nats->conn) || lose_closed(nats);
}
