/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CHECK_OUTPUTS_H
#define ISWI_HOST_OPERATE_CHECK_OUTPUTS_H

#include "base/faults.h"
#include "host/engine/sink.h"
#include "host/operate/check_program.h"

/* A function of the same name that another worker has. */
typedef struct iswi_check_namesake {
    const char *worker;
    const iswi_told_function *function; /* NULL: there is none */
} iswi_check_namesake;

/* Whether it is an output. */
bool iswi_told_is_out(const iswi_told_binding *binding);

/* Where values of a function's outputs would go; `with` names it. What keeps one from going anywhere
 * is told to `faults`, and what lies where the namesake's does; of a type that this host does not have, which some other one may, to `notes`. */
void iswi_check_outputs(iswi_sink_list sinks, const iswi_sink_check *with,
                        const iswi_told_function *function,
                        const iswi_check_namesake *namesake, iswi_faults *faults,
                        iswi_faults *notes);

#endif
