/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_BOXES_H
#define ISWI_HOST_AZURE_BOXES_H

/*
 * What one call puts out, in two halves: there, to the Azure Functions host, with the answer; and
 * here, requests and events that this host sends as it does anywhere, by queues of its own. All of
 * it is put, or nothing: there first, which can be taken back with the answer.
 */
#include "host/engine/sink.h"

/* The half of *box, which is made if it is NULL, for the keep of a sink; NULL: no memory. Its first
 * value makes it. */
iswi_outbox **iswi_azure_box_there(iswi_outbox **box);

enum { ISWI_AZURE_SENT_HERE = 2 };

/* Fill the rows of sinks whose values are sent here: "http" and "cloudevents", as iswi_host_sinks has
 * them. */
void iswi_azure_sent_here(iswi_sink out[ISWI_AZURE_SENT_HERE]);

/* Whether outputs of that type are not the Azure Functions host's to know of: those, files, and the
 * log. */
bool iswi_azure_stays_here(const char *type);

/* Functions of these triggers are given requests: "http", and "cloudevents", whose events are such, of
 * these methods. */
bool iswi_azure_comes_by_http(const char *trigger_type);
#define ISWI_AZURE_EVENT_METHODS "POST OPTIONS"

#endif
