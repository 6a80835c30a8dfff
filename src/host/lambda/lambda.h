/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LAMBDA_LAMBDA_H
#define ISWI_HOST_LAMBDA_LAMBDA_H

/* AWS Lambda as what calls our functions: events come from its Runtime API, which a custom runtime
 * asks for the next one and tells what came of it. */
#include "host/engine/trigger.h"

/* Where that API is, "HOST:PORT", and how many events a process may have at a time: environment
 * variables that Lambda sets. */
#define ISWI_LAMBDA_API_VARIABLE "AWS_LAMBDA_RUNTIME_API"
#define ISWI_LAMBDA_CONCURRENCY_VARIABLE "AWS_LAMBDA_MAX_CONCURRENCY"

/* `lambda` of host.yaml, and the way of events to functions of other tables of its list: the guests
 * of HTTP, the foreign ones of queues and timers, and whatever else has a name. */
extern const iswi_trigger iswi_lambda_trigger;

/* The same group, and nothing else, for hosts elsewhere: so that one host.yaml is for all. */
extern const iswi_trigger iswi_lambda_elsewhere_trigger;

/* Tell Lambda why there are no functions, instead of asking for an event; blocks, a few seconds at
 * most. Nothing happens where no API can be reached. Any thread. */
void iswi_lambda_tell_init_error(const isw_error *why);

#endif
