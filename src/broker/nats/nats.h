/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_NATS_NATS_H
#define ISWI_BROKER_NATS_NATS_H

/* Places on a server of NATS with JetStream, "nats://[USER:PASSWORD@]HOST:PORT"; "tls://..." where
 * all that is said to it is encrypted. */
#include "broker/driver.h"

extern const iswi_broker_driver iswi_broker_nats, iswi_broker_nats_tls;

#endif
