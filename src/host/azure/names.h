/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_NAMES_H
#define ISWI_HOST_AZURE_NAMES_H

/* What the Azure Functions host takes as names, and drops a function for that has others. Pure. */
#include <isoworker/value.h>

#include <stdbool.h>

enum { ISWI_AZURE_NAME_BYTES = 129 };

/* A binding's: letters and digits, of which the first is a letter. Others are left out, and the
 * letter behind one is a capital: "to_made" is "toMade" there. */
void iswi_azure_binding_name(isw_str name, char out[ISWI_AZURE_NAME_BYTES]);

/* Whether a function's name is one there: a letter, then letters, digits, '_' and '-'; and not
 * "host". */
bool iswi_azure_is_function_name(const char *name);
#define ISWI_AZURE_NAME_REMEDY                                                                    \
    "the Azure Functions host drops a function of such a name: give it one of letters, digits, '_' " \
    "and '-' that begins with a letter and is not \"host\""

#endif
