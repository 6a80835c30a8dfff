/* SPDX-License-Identifier: Apache-2.0 */
#include "host/sinks/sinks.h"

#include "host/cloudevents/cloudevents.h"
#include "host/queue/queue.h"
#include "host/webhooks/webhooks.h"

const iswi_sink *const iswi_host_sinks[] = {
    &iswi_sink_file,
    &iswi_sink_log,
    &iswi_queue_sink,
    &iswi_webhook_sink,
    &iswi_cloudevents_sink,
    NULL,
};
