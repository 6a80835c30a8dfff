/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_PHRASE_H
#define ISWI_CONFIG_PHRASE_H

/* What an option takes, in words and as a limit: the same for the reference, for refusals and for
 * the check of a table. Pure. */
#include "base/buffer.h"
#include "config/config.h"

/* What a value of this row must be, as in "must be ...": with range and choices. */
void iswi_option_describe(const isw_option *row, iswi_buffer *out);

/* The largest value that a row of type INT, DURATION or SIZE takes. */
int64_t iswi_option_max(const isw_option *row);

#endif
