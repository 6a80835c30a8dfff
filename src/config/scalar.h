/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_SCALAR_H
#define ISWI_CONFIG_SCALAR_H

/* Text to numbers, strictly: the whole text, one spelling, no locale. Each function fills *out and
 * returns NULL, or leaves it and returns a static phrase that says what is wrong. Pure. */
#include <stdbool.h>
#include <stdint.h>

const char *iswi_scalar_bool(const char *text, bool *out);     /* true or false */
const char *iswi_scalar_int(const char *text, int64_t *out);   /* -12 */
const char *iswi_scalar_double(const char *text, double *out); /* -1.5e3; finite */

/* Milliseconds from "0" or a whole number with ms, s, m or h. */
const char *iswi_scalar_duration(const char *text, int64_t *out);

/* The same from what a person types: a plain decimal number is one of seconds. */
#define ISWI_SCALAR_SECONDS "seconds, or a whole number with a unit: 250ms, 5s, 10m, 1h"
const char *iswi_scalar_seconds(const char *text, int64_t *out);

/* Bytes from a whole number, alone or with KiB, MiB or GiB. */
const char *iswi_scalar_size(const char *text, int64_t *out);

/* The reverse, in the largest unit that keeps it a whole number. */
enum { ISWI_SCALAR_TEXT_BYTES = 32 };
void iswi_scalar_duration_text(int64_t ms, char out[ISWI_SCALAR_TEXT_BYTES]);
void iswi_scalar_size_text(int64_t bytes, char out[ISWI_SCALAR_TEXT_BYTES]);

#endif
