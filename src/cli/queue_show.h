/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_QUEUE_SHOW_H
#define ISWI_CLI_QUEUE_SHOW_H

#include "host/operate/report.h"

#include <stdbool.h>
#include <stdio.h>

/* Read one line of what came of `action` and show it: a queue, a message, or how far it is; `any`: it
 * was for messages of any state. *over: none follows. Returns EX_OK, or the exit status to end with,
 * which is said. */
int iswi_queue_show(iswi_messages_action action, const char *queue, bool any, FILE *from,
                    bool *over);

#endif
