/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_NUMBER_H
#define ISWI_BASE_NUMBER_H

/* Doubles as text and back, as JSON and all else on a wire has them: with a point, whatever the
 * locale is that the program has set. Nobody else calls printf's %f, %e and %g or strtod for what
 * others read; tests/layers.py holds that. Any thread. */
#include <stdbool.h>
#include <stdint.h>

enum { ISWI_DOUBLE_BYTES = 40 };

/* Write a finite double as short as gives the same double again, "1e+300" or "0.1"; an integral one
 * has no point. */
void iswi_double_text(double value, char out[ISWI_DOUBLE_BYTES]);

/* Write it with six digits, as messages to people have it. */
void iswi_double_brief(double value, char out[ISWI_DOUBLE_BYTES]);

/* So many bytes in MiB, with one digit behind the point, for people: "12.5". */
void iswi_mib_text(uint64_t bytes, char out[ISWI_DOUBLE_BYTES]);

/* Read all of `text`: decimal digits with a sign, a point and an exponent as strtod has them in the
 * C locale. False, with *out untouched, for anything else, and for what no double can hold. */
bool iswi_double_read(const char *text, double *out);

#endif
