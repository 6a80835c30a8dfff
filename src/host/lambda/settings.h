/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LAMBDA_SETTINGS_H
#define ISWI_HOST_LAMBDA_SETTINGS_H

/* `lambda` of host.yaml. Inside the room. */
#include "host/settings/settings.h"

typedef struct iswi_lambda_rule {
    const char *source; /* a pattern */
    const char *function;
} iswi_lambda_rule;

typedef enum iswi_lambda_failures {
    ISWI_LAMBDA_REPORT, /* which messages of a batch have failed */
    ISWI_LAMBDA_WHOLE   /* that it has, if one has */
} iswi_lambda_failures;

typedef struct iswi_lambda_settings {
    const char *function; /* NULL: none */
    isw_option_list rules; /* of iswi_lambda_rule */
    bool stream;
    int64_t batch_failures; /* iswi_lambda_failures */
} iswi_lambda_settings;

extern const iswi_settings_group iswi_lambda_settings_group;

#endif
