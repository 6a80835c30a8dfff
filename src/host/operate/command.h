/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_COMMAND_H
#define ISWI_HOST_OPERATE_COMMAND_H

/* What somebody outside asks a trigger to do (engine/trigger.h). Any thread, one at a time. */
#include "host/engine/trigger.h"

typedef struct iswi_command {
    const char *type; /* of the trigger */
    iswi_trigger_command command;
} iswi_command;

/* Ask for it, or whether it is over. Errors: as of its hook, where ISW_E_BUSY is "not yet";
 * ISW_E_NOT_FOUND for a type that this host does not have, ISW_E_UNSUPPORTED for one that takes no
 * commands. */
isw_status iswi_command_try(iswi_host *host, iswi_command *command, iswi_buffer *out,
                            isw_error *error);

#endif
