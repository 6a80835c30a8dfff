/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_CUSTOM_H
#define ISWI_HOST_AZURE_CUSTOM_H

/*
 * A custom handler of the Azure Functions host: a host whose functions are called by that one, over
 * HTTP at one address. Functions of all triggers are called by its contract, `POST /NAME` with Data
 * and Metadata as JSON, answered with Outputs, Logs and ReturnValue; where it forwards requests,
 * those come to functions with the triggers "http" and "cloudevents" as they are, at their routes below
 * http.prefix.
 *
 * What fails is answered with a status from 400 up, so that it is a failure there, too. A reply to
 * an HTTP request is a success whatever its status, unless its function failed with one of 500 or
 * more.
 */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

typedef struct iswi_azure_custom iswi_azure_custom;

/* What a host is to be made with; it outlives the host. `forwarding` as enableForwardingHttpRequest
 * of host.json says; `others` are the triggers beside HTTP. NULL: no memory. */
iswi_azure_custom *iswi_azure_custom_create(bool forwarding, iswi_trigger_list others);
void iswi_azure_custom_destroy(iswi_azure_custom *custom); /* may be NULL */

/* "http", "queue" and the like: functions have the properties that they have anywhere. */
iswi_trigger_list iswi_azure_custom_triggers(const iswi_azure_custom *custom);

/* Files, the log, requests and events are this host's; whatever else a function puts out is an output
 * there. */
iswi_sink_list iswi_azure_custom_sinks(iswi_azure_custom *custom);

/* -- The names of bindings, which function.json is written with -------------------------------- */

#define ISWI_AZURE_HTTP_OUTPUT "res"

/* That of a trigger. */
const char *iswi_azure_trigger_binding(const char *type);

#endif
