/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of NATS where libnats was not there when this was built: a word about that. */
#include "broker/nats/nats.h"

static isw_status check(const char *place, isw_error *error)
{
    (void)place;
    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "this build is without queues on NATS; on Debian: apt-get install "
                         "libnats-dev, and build it again");
}

static isw_status open_none(const iswi_broker_options *options, int64_t now_ms, void **self,
                            isw_error *error)
{
    (void)now_ms;
    (void)self;
    return check(options->place, error);
}

const iswi_broker_driver iswi_broker_nats = {
    .scheme = "nats",
    .form = "nats://HOST:PORT",
    .check = check,
    .open = open_none,
};

const iswi_broker_driver iswi_broker_nats_tls = {
    .scheme = "tls",
    .form = "tls://HOST:PORT",
    .check = check,
    .open = open_none,
};
