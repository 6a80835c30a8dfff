/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_REDIS_KEY_H
#define ISWI_REDIS_KEY_H

/* What stands for a key: the store's name, and 160 bits of SHA-256 of its parts, so that who calls,
 * and with which secrets, is not to be read there, and nobody can choose two that are alike. */
#include <isoworker/sys/store.h>

enum { ISWI_REDIS_LEAD_BYTES = 200, ISWI_REDIS_KEY_BYTES = ISWI_REDIS_LEAD_BYTES + 41 };

/* `lead` has less than ISWI_REDIS_LEAD_BYTES. *size is without the end. False: no memory. */
bool iswi_redis_key(const char *lead, isw_store_key key, char out[ISWI_REDIS_KEY_BYTES],
                    size_t *size);

#endif
