/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_GRANT_H
#define AUTH_GRANT_H

/* What keys and certificates are good for, by the options. Pure; any thread. */
#include "auth.h"

#include <isoworker/http.h>

/* Whether `text` matches `pattern`, in which '*' is any run of characters and '?' one. */
bool auth_pattern_matches(const char *pattern, isw_str text);

/* Whether it is for `function`: its name matches one of the patterns, or there are none. */
bool auth_grant_opens(const auth_grant *grant, const char *function);

/* Whether the names of a list (of auth_certificate_options) can be any. Errors: ISW_E_CONFIG. */
isw_status auth_certificates_check(const isw_option_list *list, isw_error *error);

/* The first entry of `list` (of auth_certificate_options) whose name the certificate has, or NULL.
 * A subject is compared as a whole: its parts may hold what looks like others, which a pattern
 * would not tell apart. */
const auth_certificate_options *auth_certificates_find(const isw_option_list *list,
                                                       const isw_client_certificate *certificate);

#endif
