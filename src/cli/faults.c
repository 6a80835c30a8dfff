/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/faults.h"

#include <stdio.h>

void iswi_faults_print(iswi_faults *list)
{
    const isw_error none = { ISW_OK, "" };
    iswi_buffer text = { 0 };

    if (!list->count)
        return;
    iswi_faults_tell(list, "isoworker", &none, &text);
    fputs(iswi_buffer_text(&text) ? iswi_buffer_text(&text) : "isoworker: no memory\n", stderr);
    iswi_buffer_fini(&text);
    iswi_faults_fini(list);
}
