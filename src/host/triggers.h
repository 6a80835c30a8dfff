/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TRIGGERS_H
#define ISWI_HOST_TRIGGERS_H

/* What comes with this host: the lists that it is made with. One more is a line in triggers.c. */
#include "host/engine/trigger.h"

extern const iswi_trigger *const iswi_host_triggers[];

/* Of a host that AWS Lambda calls. */
extern const iswi_trigger *const iswi_lambda_triggers[];

/* Under the Azure Functions host, beside the front that it asks. */
extern const iswi_trigger *const iswi_azure_other_triggers[];

/* Likewise of a language worker, beside the triggers that it has itself: who sends what functions put
 * out, and what does nothing there, so that one host.yaml is right under any host. */
extern const iswi_trigger *const iswi_azure_elsewhere_triggers[];

#endif
