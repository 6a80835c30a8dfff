/* SPDX-License-Identifier: Apache-2.0 */
#include "host/webhooks/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = (ISWI_SIGNING_KEY_MAX + 2) / 3 * 4, DIGEST_BYTES = 32 };

/* -- Keys -------------------------------------------------------------------------------------- */

static isw_status refuse(isw_error *error)
{
    return isw_error_set(error, ISW_E_CONFIG,
                         "is to be \"whsec_\" and %d to %d bytes in base64; one is made by: echo "
                         "whsec_$(head -c 32 /dev/urandom | base64)",
                         ISWI_SIGNING_KEY_MIN, ISWI_SIGNING_KEY_MAX);
}

/* How many bytes `text` stands for; 0: it is no base64 of a possible size. */
static size_t decode(const char *text, size_t size, unsigned char out[TEXT_MAX])
{
    size_t padding = 0;
    int decoded;

    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    if (!size || size % 4 || size > TEXT_MAX || memchr(text, '\n', size))
        return 0;
    decoded = EVP_DecodeBlock(out, (const unsigned char *)text, (int)size);
    return decoded > 0 ? (size_t)decoded - padding : 0;
}

isw_status iswi_signing_key_read(const char *text, iswi_signing_key *out, isw_error *error)
{
    static const char prefix[] = "whsec_";
    unsigned char bytes[TEXT_MAX];
    size_t size = 0;

    if (strncmp(text, prefix, sizeof prefix - 1) == 0)
        size = decode(text + sizeof prefix - 1, strlen(text + sizeof prefix - 1), bytes);
    if (size < ISWI_SIGNING_KEY_MIN || size > ISWI_SIGNING_KEY_MAX)
        return refuse(error);
    out->size = size;
    memcpy(out->bytes, bytes, size);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return ISW_OK;
}

/* -- Signatures -------------------------------------------------------------------------------- */

static bool digest(const iswi_signing_key *key, const char *head, isw_bytes body,
                   unsigned char out[DIGEST_BYTES])
{
    const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", (char[]){ "SHA256" }, 0),
                                  OSSL_PARAM_construct_end() };
    EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = kind ? EVP_MAC_CTX_new(kind) : NULL;
    size_t size = 0;
    bool made = mac && EVP_MAC_init(mac, key->bytes, key->size, params) &&
                EVP_MAC_update(mac, (const unsigned char *)head, strlen(head)) &&
                (!body.size || EVP_MAC_update(mac, body.data, body.size)) &&
                EVP_MAC_final(mac, out, &size, DIGEST_BYTES);

    EVP_MAC_CTX_free(mac);
    EVP_MAC_free(kind);
    return made && size == DIGEST_BYTES;
}

const char *iswi_sign(const iswi_signing_key *keys, size_t count, isw_str id, int64_t timestamp_s,
                      isw_bytes body, iswi_arena *arena)
{
    const char *head = iswi_arena_printf(arena, "%.*s.%lld.", (int)id.size, id.data,
                                         (long long)timestamp_s);
    const char *all = "";

    for (size_t i = 0; head && all && i < count; i++) {
        unsigned char bytes[DIGEST_BYTES];
        unsigned char text[(DIGEST_BYTES + 2) / 3 * 4 + 1];

        if (!digest(&keys[i], head, body, bytes))
            return NULL;
        EVP_EncodeBlock(text, bytes, sizeof bytes);
        all = iswi_arena_printf(arena, "%s%sv1,%s", all, i ? " " : "", (const char *)text);
    }
    return head ? all : NULL;
}
