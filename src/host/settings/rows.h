/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SETTINGS_ROWS_H
#define ISWI_HOST_SETTINGS_ROWS_H

/* How the option tables of host.yaml are written, within this room. */
#include "host/settings/settings.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

#define ROW(st, member, kind, yaml, standard, low, high, text)                                  \
    { .name = (yaml), .type = ISW_OPTION_##kind, .offset = offsetof(st, member),               \
      .default_value = (standard), .min = (low), .max = (high), .help = (text) }
#define MAYBE(st, member, kind, yaml, text)                                                    \
    { .name = (yaml), .type = ISW_OPTION_##kind, .offset = offsetof(st, member),               \
      .optional = true, .help = (text) }

extern const isw_option iswi_worker_rows[]; /* of iswi_worker_settings */

#endif
