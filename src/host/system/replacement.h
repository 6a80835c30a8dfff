/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_REPLACEMENT_H
#define ISWI_HOST_SYSTEM_REPLACEMENT_H

/* Starting this program anew beside itself. Any thread. */
#include <isoworker/status.h>

#include <stdbool.h>
#include <sys/types.h>

/* Run `command`, which ends with NULL, with `text` behind its last word: in our folder, group and
 * environment, but for what a service manager meant for this process alone. It is the caller's to wait
 * for. Errors: ISW_E_IO with the operating system's word, ISW_E_NO_MEMORY. */
isw_status iswi_replacement_start(const char *const *command, const char *text, pid_t *out,
                                  isw_error *error);

/* Whether a shell waits for us in its terminal, and would take our end for that of its job. */
bool iswi_replacement_is_in_front(void);

#endif
