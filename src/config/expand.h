/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CONFIG_EXPAND_H
#define ISWI_CONFIG_EXPAND_H

/* Environment variables in values. */
#include "config/message.h"

enum { ISWI_CONFIG_MAX_EXPANDED_BYTES = 64 * 1024 }; /* of one scalar with variables in it */

/* Replace ${VAR}, ${VAR:-default} and $$ in `text`, which stands at `place`. Sets *changed if there
 * was any. *out lives as long as the document. Errors: ISW_E_CONFIG, ISW_E_NO_MEMORY. */
isw_status iswi_config_expand(iswi_config *config, iswi_place place, const char *text,
                              const char **out, bool *changed, isw_error *error);

/* Whether `name` of `size` bytes can be the name of an environment variable. */
bool iswi_variable_name_valid(const char *name, size_t size);

#endif
