/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_VALUE_SHOW_H
#define ISWI_VALUE_SHOW_H

#include <isoworker/value.h>
#include <stdio.h>

/* Print the result of a function as those at a shell see it: text, JSON and bytes as they are, an
 * HTTP reply with its status line, headers and body, else one line of JSON; nothing for none. At a
 * terminal a line ends, elsewhere bytes are exact. */
void iswi_value_show(const isw_value *result, FILE *out);

#endif
