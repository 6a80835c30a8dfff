/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/key.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { HASH_BYTES = 20 };

static bool add(EVP_MD_CTX *hash, const isw_str *text)
{
    unsigned char size[8];

    for (int i = 0; i < 8; i++)
        size[i] = (unsigned char)((uint64_t)text->size >> 8 * i);
    return EVP_DigestUpdate(hash, size, sizeof size) &&
           EVP_DigestUpdate(hash, text->data, text->size);
}

bool iswi_redis_key(const char *lead, isw_store_key key, char out[ISWI_REDIS_KEY_BYTES],
                    size_t *size)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool made = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL);

    for (size_t i = 0; made && i < key.count; i++)
        made = add(hash, &key.parts[i]);
    made = made && EVP_DigestFinal_ex(hash, bytes, NULL);
    EVP_MD_CTX_free(hash);
    if (!made)
        return false;
    *size = (size_t)snprintf(out, ISWI_REDIS_LEAD_BYTES, "%s", lead);
    for (int i = 0; i < HASH_BYTES; i++)
        *size += (size_t)snprintf(out + *size, 3, "%02x", bytes[i]);
    return true;
}
