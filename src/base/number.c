/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C library keeps the C locale; to name it makes nothing, and cannot fail. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void iswi_double_text(double value, char out[ISWI_DOUBLE_BYTES])
{
    locale_t plain = plain_locale();
    locale_t before = uselocale(plain);

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, ISWI_DOUBLE_BYTES, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    uselocale(before);
    freelocale(plain);
}

void iswi_double_brief(double value, char out[ISWI_DOUBLE_BYTES])
{
    locale_t plain = plain_locale();
    locale_t before = uselocale(plain);

    snprintf(out, ISWI_DOUBLE_BYTES, "%g", value);
    uselocale(before);
    freelocale(plain);
}

void iswi_mib_text(uint64_t bytes, char out[ISWI_DOUBLE_BYTES])
{
    uint64_t rest = bytes % (1 << 20);

    snprintf(out, ISWI_DOUBLE_BYTES, "%llu.%llu", (unsigned long long)(bytes >> 20),
             (unsigned long long)(rest * 10 >> 20));
}

bool iswi_double_read(const char *text, double *out)
{
    locale_t plain = plain_locale();
    const size_t size = strlen(text);
    char *end = NULL;
    double value;

    /* Neither spaces before it nor hexadecimal digits, infinity and NaN. */
    if (size == 0 || strspn(text, "0123456789+-.eE") != size) {
        freelocale(plain);
        return false;
    }
    value = strtod_l(text, &end, plain);
    freelocale(plain);
    if (*end || end == text || !isfinite(value))
        return false;
    *out = value;
    return true;
}
