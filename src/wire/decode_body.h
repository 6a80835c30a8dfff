/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WIRE_DECODE_BODY_H
#define ISWI_WIRE_DECODE_BODY_H

#include "wire/decoder.h"

/* A struct by its table, over zeroes: a key that is left out is its default. Errors: those of a
 * decoder. */
isw_status iswi_decode_struct(iswi_decoder *d, const iswi_table *table, void *value);

#endif
