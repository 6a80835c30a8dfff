/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_INIT_FUNCTION_H
#define ISWI_HOST_AZURE_INIT_FUNCTION_H

/* function.json of one function. Inside the room. */
#include "base/buffer.h"
#include "base/faults.h"
#include "host/operate/check_program.h"

/* Append it. False: its trigger has no counterpart, which `notes` says. */
bool iswi_azure_function_json(const iswi_told_function *function, iswi_faults *notes,
                              iswi_buffer *out);

/* Whether it puts out what becomes a binding. */
bool iswi_azure_has_outputs(const iswi_told_function *function);

#endif
