/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEY_NUMBERS_H
#define AUTH_KEY_NUMBERS_H

/* Whether the numbers of a key are ones to verify with; auth_key.h says which are. Pure; any
 * thread. */
#include <jansson.h>
#include <stddef.h>

/* How many bytes a member stands for; SIZE_MAX if it is not there or no base64url. */
size_t auth_key_number_size(const json_t *key, const char *name);

/* `key` has the members of its kty (RSA, EC or oct), all texts. NULL if it is sound, otherwise why
 * not: static text that goes on from "the key ". */
const char *auth_key_refuse_numbers(const json_t *key);

#endif
