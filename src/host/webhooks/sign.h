/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WEBHOOKS_SIGN_H
#define ISWI_HOST_WEBHOOKS_SIGN_H

/* Signatures of Standard Webhooks (standardwebhooks.com, "Webhook signatures"), the symmetric ones:
 * HMAC-SHA256 of "id.timestamp.body". Any thread. */
#include "base/arena.h"

#include <isoworker/status.h>

enum { ISWI_SIGNING_KEY_MIN = 24, ISWI_SIGNING_KEY_MAX = 64, ISWI_SIGNING_KEYS_MAX = 2 };

typedef struct iswi_signing_key {
    size_t size;
    unsigned char bytes[ISWI_SIGNING_KEY_MAX];
} iswi_signing_key;

/* Read "whsec_" and 24 to 64 bytes in base64. Errors: ISW_E_CONFIG, as the end of a sentence, which
 * does not show it. */
isw_status iswi_signing_key_read(const char *text, iswi_signing_key *out, isw_error *error);

/* "v1,... v1,...": one for each key, in the arena. NULL: no memory. */
const char *iswi_sign(const iswi_signing_key *keys, size_t count, isw_str id, int64_t timestamp_s,
                      isw_bytes body, iswi_arena *arena);

#endif
