/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_FAULTS_H
#define ISWI_CLI_FAULTS_H

#include "base/faults.h"

/* Tell all of a list on standard error; it is empty then. */
void iswi_faults_print(iswi_faults *list);

#endif
