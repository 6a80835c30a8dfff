/* SPDX-License-Identifier: Apache-2.0 */
/* What the status, /ready and the metrics say of certificates. */
#include "host/http/tls_told.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { DAY_S = 24 * 3600 };

static int64_t seconds_left(int64_t expires_s)
{
    return expires_s - iswi_wall_us() / 1000000;
}

void iswi_http_tls_rows_told(iswi_tls *tls, iswi_trigger_row_fn row, void *user)
{
    iswi_trigger_row failures = { .name = "tls_reload_failures_total",
                                  .help = "Times that changed certificates could not be used.",
                                  .counts = true,
                                  .number = (double)iswi_tls_refusals(tls) };
    iswi_trigger_row left = { .name = "tls_certificate_expires_seconds",
                              .help = "Until the certificate in force expires; below 0: since.",
                              .label = "file" };
    int64_t expires_s;

    row(user, &failures);
    for (size_t i = 0; (left.value = iswi_tls_expiry(tls, i, &expires_s)) != NULL; i++) {
        left.number = (double)seconds_left(expires_s);
        row(user, &left);
    }
}

static void attend_one(const char *file, int64_t expires_s, iswi_trigger_attend_fn add, void *user)
{
    const int64_t left_s = seconds_left(expires_s);
    const time_t at = (time_t)expires_s;
    struct tm parts;
    char day[32] = "";
    char text[1200];

    if (left_s >= ISWI_TLS_SOON_DAYS * DAY_S)
        return;
    if (gmtime_r(&at, &parts))
        strftime(day, sizeof day, "%Y-%m-%d", &parts);
    if (left_s < 0)
        snprintf(text, sizeof text, "http.tls: %s has expired on %s: clients refuse it until it is "
                 "renewed", file, day);
    else
        snprintf(text, sizeof text, "http.tls: %s expires on %s: it is time to renew it", file,
                 day);
    add(user, text);
}

void iswi_http_tls_attend(iswi_tls *tls, iswi_trigger_attend_fn add, void *user)
{
    isw_error error;
    char text[sizeof error.message + 128];
    const char *file;
    int64_t expires_s;

    if (iswi_tls_refused(tls, &error)) {
        snprintf(text, sizeof text, "http.tls: %s; new connections get the certificates as they "
                 "were before", error.message);
        add(user, text);
    }
    for (size_t i = 0; (file = iswi_tls_expiry(tls, i, &expires_s)) != NULL; i++)
        attend_one(file, expires_s, add, user);
}
