/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_MESSAGE_H
#define ISWI_CONFIG_MESSAGE_H

/* Refusals, and the words they are made of. iswi_config_refuse (config.h) is one of them. */
#include "config/document.h"
#include "config/node.h"

/* Fill `error` with "file:line:column: <text>" and add that to the faults; returns ISW_E_CONFIG. */
isw_status iswi_config_refuse_at(iswi_config *config, iswi_place place, isw_error *error,
                                 const char *format, ...) ISW_PRINTF(4, 5);

/* Fill `error`; returns ISW_E_NO_MEMORY. */
isw_status iswi_config_no_memory(const iswi_config *config, isw_error *error);

/* `text` in double quotes, short and harmless on a terminal, for a message. Lives as long as the
 * document. */
const char *iswi_config_quote(iswi_config *config, const char *text);

/* What stands there, for "must be ..., not %s": its text in quotes, "a list", "a mapping" or
 * "empty". */
const char *iswi_config_describe(iswi_config *config, const iswi_node *node);

/* The one of `names` (ends with NULL) that `wrong` is most likely meant to be, or NULL. */
const char *iswi_config_nearest(const char *wrong, const char *const *names);

#endif
