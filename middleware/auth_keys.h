/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

/*
 * API keys. The YAML holds "sha256:<salt>:<hash>" for each, where <hash> is SHA-256 over the salt
 * as it is written followed by the key. One round suffices because keys are random, which
 * passwords are not. To make one:
 *
 *     key=$(openssl rand -hex 24); salt=$(openssl rand -hex 16); echo "key: $key"
 *     echo "hash: sha256:$salt:$(printf %s "$salt$key" | openssl dgst -sha256 -r | cut -c1-64)"
 *
 * Made at start, constant afterwards; any thread may look up.
 */
#include "auth.h"

enum {
    AUTH_KEY_MAX_BYTES = 512,  /* of a key that a caller sends */
    AUTH_SALT_MIN_DIGITS = 16, /* hexadecimal */
    AUTH_SALT_MAX_DIGITS = 128
};

typedef struct auth_hash auth_hash;

typedef struct auth_keys {
    auth_hash *hashes;
    size_t count;
} auth_keys;

/* Read `list` (of auth_key_options, which must outlive `keys`). Errors: ISW_E_CONFIG for a hash of
 * another form or a name used twice, ISW_E_NO_MEMORY. */
isw_status auth_keys_init(auth_keys *keys, const isw_option_list *list, isw_error *error);
void auth_keys_fini(auth_keys *keys); /* a zeroed one is fine */

/* The entry whose key is `key`, or NULL. Takes the same time for each entry, found or not. */
const auth_key_options *auth_keys_find(const auth_keys *keys, isw_str key);

#endif
