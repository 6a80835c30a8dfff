/* SPDX-License-Identifier: Apache-2.0 */
#include "host/triggers.h"

#include "host/cloudevents/cloudevents.h"
#include "host/file/trigger.h"
#include "host/http/trigger.h"
#include "host/http/guest.h"
#include "host/lambda/lambda.h"
#include "host/library/trigger.h"
#include "host/queue/foreign.h"
#include "host/queue/queue.h"
#include "host/timer/foreign.h"
#include "host/timer/trigger.h"
#include "host/warmup/trigger.h"
#include "host/webhooks/webhooks.h"

const iswi_trigger *const iswi_host_triggers[] = {
    &iswi_http_trigger,
    &iswi_call_trigger,
    &iswi_queue_trigger,
    &iswi_timer_trigger,
    &iswi_file_trigger,
    &iswi_cloudevents_dialect.trigger,
    &iswi_warmup_trigger,
    &iswi_webhooks_trigger,
    &iswi_lambda_elsewhere_trigger,
    NULL,
};

const iswi_trigger *const iswi_lambda_triggers[] = {
    &iswi_http_guests_trigger,
    &iswi_call_trigger,
    &iswi_queue_foreign_trigger,
    &iswi_timer_foreign_trigger,
    &iswi_cloudevents_dialect.trigger,
    &iswi_warmup_trigger,
    &iswi_webhooks_trigger,
    &iswi_lambda_trigger,
    NULL,
};

const iswi_trigger *const iswi_azure_other_triggers[] = {
    &iswi_call_trigger,
    &iswi_queue_foreign_trigger,
    &iswi_timer_foreign_trigger,
    &iswi_file_trigger,
    &iswi_warmup_trigger,
    &iswi_webhooks_trigger,
    &iswi_lambda_elsewhere_trigger,
    NULL,
};

const iswi_trigger *const iswi_azure_elsewhere_triggers[] = {
    &iswi_webhooks_trigger,
    &iswi_lambda_elsewhere_trigger,
    NULL,
};
