/* SPDX-License-Identifier: Apache-2.0 */
#include "host/webhooks/sign.h"

#include "base/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

enum { TEXT_MAX = 128, DIGEST_BYTES = 32 };

/* -- Keys -------------------------------------------------------------------------------------- */

static isw_status refuse(isw_error *error)
{
    return isw_error_set(error, ISW_E_CONFIG,
                         "is to be \"whsec_\" and %d to %d bytes in base64; one is made by: echo "
                         "whsec_$(head -c 32 /dev/urandom | base64)",
                         ISWI_SIGNING_KEY_MIN, ISWI_SIGNING_KEY_MAX);
}

isw_status iswi_signing_key_read(const char *text, iswi_signing_key *out, isw_error *error)
{
    static const char prefix[] = "whsec_";
    isw_bytes bytes = { NULL, 0 };
    iswi_arena arena;

    iswi_arena_init(&arena, TEXT_MAX);
    if (strncmp(text, prefix, sizeof prefix - 1) == 0 && strlen(text) <= TEXT_MAX)
        iswi_base64_read(&arena, isw_str_of(text + sizeof prefix - 1), &bytes);
    if (bytes.size < ISWI_SIGNING_KEY_MIN || bytes.size > ISWI_SIGNING_KEY_MAX) {
        refuse(error);
    } else {
        out->size = bytes.size;
        memcpy(out->bytes, bytes.data, bytes.size);
        OPENSSL_cleanse((void *)bytes.data, bytes.size);
    }
    iswi_arena_fini(&arena);
    return error->status;
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

/* "v1,..." of one key, behind others. */
static bool append_one(iswi_buffer *all, const iswi_signing_key *key, const char *head,
                       isw_bytes body)
{
    unsigned char bytes[DIGEST_BYTES];

    if (!digest(key, head, body, bytes))
        return false;
    iswi_buffer_append_text(all, all->size ? " v1," : "v1,");
    iswi_base64_append(all, (isw_bytes){ bytes, sizeof bytes });
    return !all->failed;
}

const char *iswi_sign(const iswi_signing_key *keys, size_t count, isw_str id, int64_t timestamp_s,
                      isw_bytes body, iswi_arena *arena)
{
    const char *head = iswi_arena_printf(arena, "%.*s.%lld.", (int)id.size, id.data,
                                         (long long)timestamp_s);
    const char *text = NULL;
    iswi_buffer all = { 0 };
    size_t made = 0;

    while (head && made < count && append_one(&all, &keys[made], head, body))
        made++;
    if (head && made == count)
        text = iswi_arena_strndup(arena, (const char *)all.data, all.size);
    iswi_buffer_fini(&all);
    return text;
}
