/* SPDX-License-Identifier: Apache-2.0 */
/* Commands for triggers, whose types are found by name. */
#include "host/operate/command.h"

#include "config/properties.h"

static isw_status refuse_type(const iswi_host *host, const char *type, isw_error *error)
{
    const char *known[ISWI_TRIGGERS_MAX + 1] = { NULL };
    isw_error own = { ISW_OK, "" };
    size_t count = 0;
    void *self;

    for (size_t i = 0; i < iswi_host_trigger_count(host); i++)
        if (iswi_host_trigger(host, i, &self)->command)
            known[count++] = iswi_host_trigger(host, i, &self)->type;
    iswi_properties_unknown("trigger that takes commands, of the type", type, "it has ", known,
                            &own);
    return isw_error_set(error, ISW_E_NOT_FOUND, "this host has %s", own.message);
}

isw_status iswi_command_try(iswi_host *host, iswi_command *command, iswi_buffer *out,
                            isw_error *error)
{
    for (size_t i = 0; i < iswi_host_trigger_count(host); i++) {
        void *self;
        const iswi_trigger *trigger = iswi_host_trigger(host, i, &self);

        if (trigger->command && strcmp(trigger->type, command->type) == 0)
            return trigger->command(self, &command->command, out, error);
    }
    return refuse_type(host, command->type, error);
}
