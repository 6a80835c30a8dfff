/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of PostgreSQL where libpq was not there when this was built: a word about that. */
#include "broker/postgresql/postgresql.h"

static isw_status check(const char *place, isw_error *error)
{
    (void)place;
    return isw_error_set(error, ISW_E_UNSUPPORTED,
                         "this build is without queues in PostgreSQL; on Debian: apt-get install "
                         "libpq-dev, and build it again");
}

static isw_status open_none(const iswi_broker_options *options, int64_t now_ms, void **self,
                            isw_error *error)
{
    (void)now_ms;
    (void)self;
    return check(options->place, error);
}

const iswi_broker_driver iswi_broker_postgresql = {
    .scheme = "postgresql",
    .form = "postgresql://USER@HOST/DATABASE",
    .check = check,
    .open = open_none,
};
