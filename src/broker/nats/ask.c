/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the server: all of a kind are sent before the first answer is waited for. */
#include "broker/nats/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdio.h>

/* So long nothing may come from the server while something is wanted of it. What a cluster is asked
 * that has no leader for it now is never answered, and soon asked again. */
enum { PATIENCE_MS = 10000, OF_CLUSTER_MS = 3000 };

/* Codes of the server: there is no leader in a cluster, or no JetStream for an account; and fewer
 * servers than a stream is to have, as where the others of a cluster are not there yet. */
enum { UNAVAILABLE = 503, NO_PEERS = 10005 };

void iswi_nats_ask_reply(const iswi_nats *nats, char out[64])
{
    snprintf(out, 64, "%sr.%zu", nats->inbox, nats->ask_count);
}

static bool add_ask(iswi_nats *nats, iswi_nats_ask of)
{
    if (!iswi_grow(&nats->asks, &nats->ask_capacity, nats->ask_count, sizeof *nats->asks))
        return iswi_nats_lose(nats, "there is no memory for what is asked");
    of.answer = NULL;
    nats->asks[nats->ask_count++] = of;
    return true;
}

bool iswi_nats_ask_msg(iswi_nats *nats, natsMsg *msg, iswi_nats_ask of)
{
    if (msg && add_ask(nats, of))
        return iswi_nats_send(nats, msg);
    nats->lib.natsMsg_Destroy(msg);
    return false;
}

bool iswi_nats_ask_text(iswi_nats *nats, const char *subject, const char *text)
{
    char reply[64];

    iswi_nats_ask_reply(nats, reply);
    return add_ask(nats, (iswi_nats_ask){ 0 }) && iswi_nats_say(nats, subject, reply, text);
}

static bool ask_api(iswi_nats *nats, const char *text, const char *subject, va_list args)
{
    iswi_buffer_reset(&nats->subject);
    iswi_buffer_append_text(&nats->subject, "$JS.API.");
    iswi_buffer_vprintf(&nats->subject, subject, args);
    if (nats->subject.failed)
        return iswi_nats_lose(nats, "there is no memory for what is asked");
    return iswi_nats_ask_text(nats, iswi_buffer_text(&nats->subject), text);
}

bool iswi_nats_ask_api(iswi_nats *nats, const char *text, const char *subject, ...)
{
    va_list args;
    bool well;

    va_start(args, subject);
    well = ask_api(nats, text, subject, args);
    va_end(args);
    return well;
}

static int64_t patience_ms(const iswi_nats *nats)
{
    const iswi_nats_address *of = &nats->address;

    return of->server_count > 1 || of->replicas > 1 ? OF_CLUSTER_MS : PATIENCE_MS;
}

bool iswi_nats_answers(iswi_nats *nats)
{
    const int64_t most_ms = patience_ms(nats);

    nats->heard_ns = iswi_now_ns();
    while (nats->answered < nats->ask_count && !nats->is_lost) {
        const int64_t silent_ms = (iswi_now_ns() - nats->heard_ns) / 1000000;

        if (silent_ms >= most_ms)
            return iswi_nats_lose(nats, iswi_nats_last_error(nats, "it does not answer"));
        iswi_nats_turn(nats, most_ms - silent_ms);
    }
    return !nats->is_lost;
}

void iswi_nats_forget(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->ask_count; i++)
        nats->lib.natsMsg_Destroy(nats->asks[i].answer);
    nats->ask_count = nats->answered = 0;
}

/* -- Answers ----------------------------------------------------------------------------------- */

int64_t iswi_nats_int(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);

    return json_is_real(number) ? (int64_t)json_real_value(number) : json_integer_value(number);
}

/* A server tells some numbers without a sign, which are then more than an integer holds: what comes
 * with one has reals. */
static json_t *parse(const char *text, size_t size)
{
    json_t *json = json_loadb(text, size, 0, NULL);

    return json ? json : json_loadb(text, size, JSON_DECODE_INT_AS_REAL, NULL);
}

static void say_fault(iswi_nats *nats, isw_status status, const char *what)
{
    memset(&nats->fault, 0, sizeof nats->fault);
    isw_error_set(&nats->fault, status, "NATS at %s says: %s", iswi_nats_server(nats),
                  what ? what : "nothing that is known");
}

/* Codes of the server: it knows no such stream or message. */
static isw_status status_of(int code)
{
    enum { NO_MESSAGE = 10037, NO_STREAM = 10059 };

    return code == NO_STREAM || code == NO_MESSAGE ? ISW_E_NOT_FOUND : ISW_E_IO;
}

json_t *iswi_nats_answer(iswi_nats *nats, size_t i, int *code)
{
    natsMsg *msg = i < nats->ask_count ? nats->asks[i].answer : NULL;
    json_t *json = msg ? parse(nats->lib.natsMsg_GetData(msg),
                               (size_t)nats->lib.natsMsg_GetDataLength(msg))
                       : NULL;
    json_t *error = json_object_get(json, "error");
    const char *why = error ? json_string_value(json_object_get(error, "description"))
                            : "something that is no JSON";

    *code = (int)iswi_nats_int(error, "err_code");
    if (json && !error)
        return json;
    if (iswi_nats_int(error, "code") == UNAVAILABLE || *code == NO_PEERS)
        iswi_nats_lose(nats, why);
    else
        say_fault(nats, status_of(*code), why);
    json_decref(json);
    return NULL;
}

json_t *iswi_nats_api(iswi_nats *nats, int *code, const char *text, const char *subject, ...)
{
    json_t *json = NULL;
    va_list args;

    *code = 0;
    iswi_nats_forget(nats);
    va_start(args, subject);
    if (ask_api(nats, text, subject, args) && iswi_nats_answers(nats))
        json = iswi_nats_answer(nats, 0, code);
    va_end(args);
    iswi_nats_forget(nats);
    return json;
}

/* -- Operations -------------------------------------------------------------------------------- */

void iswi_nats_fail(iswi_nats *nats, iswi_broker_op *op)
{
    if (!nats->is_lost)
        op->error = nats->fault; /* else it has no status, as if it had not been there */
}

void iswi_nats_refuse(iswi_broker_op *op, isw_status status, const char *format, ...)
{
    char sentence[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    iswi_nats_done(op);
    isw_error_set(&op->error, status, "%s", sentence);
}

void iswi_nats_done(iswi_broker_op *op)
{
    op->error.status = ISW_OK;
    op->error.message[0] = '\0';
}
