/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_SERVICES_H
#define ISWI_WORKER_CONTEXT_SERVICES_H

/* The life of services; what other rooms need of them is in context.h. */
#include "worker/context/context.h"

iswi_services *iswi_services_create(void); /* NULL: no memory */
void iswi_services_destroy(iswi_services *services); /* and the singletons; NULL is allowed */

/* Destroy what was made for an invocation. */
void iswi_services_end(iswi_made **made);

#endif
