/* SPDX-License-Identifier: Apache-2.0 */
/* API keys against their hashes. Every entry is hashed and compared for every key that is sent, and
 * the comparison does not stop at the first difference: time tells nothing. */
#include "auth_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { HASH_BYTES = 32 };

struct auth_hash {
    const auth_key_options *entry;
    isw_str salt; /* as written; borrowed from the entry */
    unsigned char hash[HASH_BYTES];
};

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static size_t count_hex(const char *text)
{
    size_t count = 0;

    while (hex_value(text[count]) >= 0)
        count++;
    return count;
}

static bool parse_hash(const char *text, auth_hash *out)
{
    static const char scheme[] = "sha256:";
    size_t salt_size;

    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    text += sizeof scheme - 1;
    salt_size = count_hex(text);
    if (salt_size < AUTH_SALT_MIN_DIGITS || salt_size > AUTH_SALT_MAX_DIGITS || salt_size % 2)
        return false;
    out->salt = (isw_str){ text, salt_size };
    text += salt_size;
    if (*text++ != ':' || count_hex(text) != 2 * HASH_BYTES || text[2 * HASH_BYTES] != '\0')
        return false;
    for (size_t i = 0; i < HASH_BYTES; i++)
        out->hash[i] = (unsigned char)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return true;
}

static isw_status add_entry(auth_keys *keys, const auth_key_options *entry, isw_error *error)
{
    auth_hash *hash = &keys->hashes[keys->count];

    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->hashes[i].entry->name, entry->name) == 0)
            return isw_error_set(error, ISW_E_CONFIG, "two keys are named \"%s\"", entry->name);
    /* The text itself stays out of the message: people put the key there by mistake. */
    if (!parse_hash(entry->hash, hash))
        return isw_error_set(error, ISW_E_CONFIG,
                             "the hash of key \"%s\" is not of the form sha256:<salt>:<hash> "
                             "with %d to %d and %d hexadecimal digits",
                             entry->name, AUTH_SALT_MIN_DIGITS, AUTH_SALT_MAX_DIGITS,
                             2 * HASH_BYTES);
    hash->entry = entry;
    keys->count++;
    return ISW_OK;
}

isw_status auth_keys_init(auth_keys *keys, const isw_option_list *list, isw_error *error)
{
    const auth_key_options *entries = list->items;
    isw_status status = ISW_OK;

    keys->count = 0;
    keys->hashes = calloc(list->count ? list->count : 1, sizeof *keys->hashes);
    if (!keys->hashes)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < list->count && status == ISW_OK; i++)
        status = add_entry(keys, &entries[i], error);
    if (status != ISW_OK)
        auth_keys_fini(keys);
    return status;
}

void auth_keys_fini(auth_keys *keys)
{
    free(keys->hashes);
    keys->hashes = NULL;
    keys->count = 0;
}

const auth_key_options *auth_keys_find(const auth_keys *keys, isw_str key)
{
    unsigned char text[AUTH_SALT_MAX_DIGITS + AUTH_KEY_MAX_BYTES];
    unsigned char hash[EVP_MAX_MD_SIZE];
    const auth_key_options *found = NULL;

    if (key.size == 0 || key.size > AUTH_KEY_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < keys->count; i++) {
        const auth_hash *known = &keys->hashes[i];

        memcpy(text, known->salt.data, known->salt.size);
        memcpy(text + known->salt.size, key.data, key.size);
        if (EVP_Digest(text, known->salt.size + key.size, hash, NULL, EVP_sha256(), NULL) == 1 &&
            CRYPTO_memcmp(hash, known->hash, HASH_BYTES) == 0)
            found = known->entry;
    }
    OPENSSL_cleanse(text, sizeof text);
    return found;
}
