/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its line in the access log. Invariant: a request has one line, written when its
 * carrier is done with it. */
#include "host/http/internal.h"

#include "base/clock.h"
#include "host/http/access_log.h"

#include <stdio.h>

/* Without memory it has no line, which is the least of its troubles. */
void iswi_http_record_begin(iswi_http_request *request)
{
    iswi_access_log *log = request->http->terms->access_log;

    if (!log)
        return;
    request->record = iswi_arena_calloc(&request->arena, 1, sizeof *request->record);
    if (!request->record)
        return;
    request->record->log = log;
    request->record->begun_us = iswi_wall_us();
    request->record->begun_ns = iswi_now_ns();
}

void iswi_http_note_placed(iswi_http_request *request)
{
    if (request->record)
        request->record->placed_ns = iswi_now_ns();
}

void iswi_http_note_answered(iswi_http_request *request, const char *invocation_id,
                             isw_str principal)
{
    iswi_http_record *record = request->record;

    if (!record)
        return;
    record->answered_ns = iswi_now_ns();
    snprintf(record->invocation_id, sizeof record->invocation_id, "%s", invocation_id);
    if (principal.size && principal.size < sizeof record->principal)
        memcpy(record->principal, principal.data, principal.size); /* it was zeroed */
}

void iswi_http_note_reason(iswi_http_request *request, const char *reason)
{
    if (request->record && reason)
        snprintf(request->record->reason, sizeof request->record->reason, "%s", reason);
}

static isw_str header_of(const iswi_http_request *request, const char *name)
{
    const isw_str *found = isw_pairs_find(&request->data.headers, name);

    return found ? *found : (isw_str){ NULL, 0 };
}

/* Whom auth found, or else whom the certificate names that the host has verified. */
static isw_str principal_of(const iswi_http_request *request)
{
    const iswi_tls_peer *peer = request->certificate;

    if (request->record->principal[0] || !peer)
        return isw_str_of(request->record->principal);
    return peer->subject.size || !peer->name_count ? peer->subject : peer->names[0];
}

void iswi_http_record_end(const iswi_http_request *request, const iswi_http_figures *figures)
{
    const iswi_http_record *record = request->record;
    const isw_http *data = &request->data;
    iswi_access line = { .worker_us = -1 };

    if (!record || (!data->method.size && !figures->answered))
        return; /* what did not become a request */
    line.begun_us = record->begun_us;
    line.client = data->client.size ? data->client : figures->client;
    line.principal = principal_of(request);
    line.method = data->method;
    line.target = data->url;
    line.protocol = figures->protocol;
    line.invocation_id = isw_str_of(record->invocation_id);
    line.request_id = request->id;
    line.reason = isw_str_of(record->reason);
    line.agent = header_of(request, "user-agent");
    line.referer = header_of(request, "referer");
    line.status = figures->answered ? (int)request->reply.status : ISWI_ACCESS_LEFT;
    line.received = figures->received;
    line.sent = figures->sent;
    line.body_sent = figures->body_sent;
    line.took_us = (iswi_now_ns() - record->begun_ns) / 1000;
    if (record->placed_ns && record->answered_ns)
        line.worker_us = (record->answered_ns - record->placed_ns) / 1000;
    line.cut = figures->cut;
    iswi_access_log_add(record->log, &line);
}
