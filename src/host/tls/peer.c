/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate as text. Only what its issuer wrote as text without control characters is taken, so
 * that no name can be read as two. */
#include "host/tls/internal.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { NAME_MAX_BYTES = 4096, NAMES_MAX = 64 /* further ones are left out */ };

/* RFC 4514, with what is UTF-8 left as it is. */
#define NAME_FORM (XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB)

static bool is_line(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return iswi_utf8_valid(text.data, text.size);
}

static bool copy(iswi_arena *arena, isw_str text, isw_str *out)
{
    out->data = iswi_arena_strndup(arena, text.data, text.size);
    out->size = text.size;
    return out->data != NULL;
}

static bool read_name(const X509_NAME *name, iswi_arena *arena, isw_str *out)
{
    BIO *memory = BIO_new(BIO_s_mem());
    isw_str text = { "", 0 };
    bool read = false;
    char *data;

    if (memory && X509_NAME_print_ex(memory, name, 0, NAME_FORM) >= 0) {
        long size = BIO_get_mem_data(memory, &data);

        if (size > 0)
            text = (isw_str){ data, (size_t)size };
        read = text.size <= NAME_MAX_BYTES && is_line(text) && copy(arena, text, out);
    }
    BIO_free(memory);
    return read;
}

/* -- Other names ------------------------------------------------------------------------------- */

static const char *text_kind(int type)
{
    return type == GEN_DNS     ? "DNS:"
           : type == GEN_URI   ? "URI:"
           : type == GEN_EMAIL ? "email:"
                               : NULL;
}

static char *write_address(const ASN1_OCTET_STRING *bytes, iswi_arena *arena)
{
    int size = ASN1_STRING_length(bytes);
    char text[INET6_ADDRSTRLEN] = "";

    if (size == 4 || size == 16)
        inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(bytes), text, sizeof text);
    return iswi_arena_printf(arena, "IP:%s", text);
}

/* "" for one of a kind that is no text. NULL: no memory. */
static char *write_alternative(const GENERAL_NAME *name, iswi_arena *arena)
{
    const char *kind = text_kind(name->type);
    isw_str text;

    if (name->type == GEN_IPADD)
        return write_address(name->d.iPAddress, arena);
    if (!kind)
        return iswi_arena_strndup(arena, "", 0);
    text.data = (const char *)ASN1_STRING_get0_data(name->d.ia5);
    text.size = (size_t)ASN1_STRING_length(name->d.ia5);
    if (text.size > NAME_MAX_BYTES || !is_line(text))
        return iswi_arena_strndup(arena, "", 0);
    return iswi_arena_printf(arena, "%s%.*s", kind, (int)text.size, text.data);
}

static bool read_names(X509 *certificate, iswi_arena *arena, iswi_tls_peer *out)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    isw_str *names = iswi_arena_calloc(arena, NAMES_MAX, sizeof *names);
    bool fits = names != NULL;

    for (int i = 0; fits && i < sk_GENERAL_NAME_num(all) && out->name_count < NAMES_MAX; i++) {
        char *text = write_alternative(sk_GENERAL_NAME_value(all, i), arena);

        fits = text != NULL;
        if (fits && *text)
            names[out->name_count++] = isw_str_of(text);
    }
    GENERAL_NAMES_free(all);
    out->names = names;
    return fits;
}

/* -- All of it --------------------------------------------------------------------------------- */

static bool read_fingerprint(const X509 *certificate, iswi_arena *arena, isw_str *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";

    if (!X509_digest(certificate, EVP_sha256(), hash, &size))
        return false;
    for (unsigned i = 0; i < size; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return copy(arena, isw_str_of(text), out);
}

int64_t iswi_tls_expires_s(const X509 *certificate)
{
    struct tm parts;

    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) ? (int64_t)timegm(&parts) : 0;
}

const iswi_tls_peer *iswi_tls_peer_read(X509 *certificate, iswi_arena *arena)
{
    iswi_tls_peer *peer = iswi_arena_calloc(arena, 1, sizeof *peer);
    bool read = peer && read_name(X509_get_subject_name(certificate), arena, &peer->subject) &&
                read_name(X509_get_issuer_name(certificate), arena, &peer->issuer) &&
                read_names(certificate, arena, peer) &&
                read_fingerprint(certificate, arena, &peer->fingerprint);

    ERR_clear_error();
    if (!read)
        return NULL;
    peer->expires_s = iswi_tls_expires_s(certificate);
    return peer;
}

const iswi_tls_peer *iswi_tls_peer_copy(const iswi_tls_peer *peer, iswi_arena *arena)
{
    iswi_tls_peer *own = iswi_arena_alloc(arena, sizeof *own);
    isw_str *names = iswi_arena_alloc(arena, (peer->name_count + 1) * sizeof *names);
    bool fits = own && names;

    if (fits)
        *own = *peer;
    fits = fits && copy(arena, peer->subject, &own->subject) &&
           copy(arena, peer->issuer, &own->issuer) &&
           copy(arena, peer->fingerprint, &own->fingerprint);
    for (size_t i = 0; fits && i < peer->name_count; i++)
        fits = copy(arena, peer->names[i], &names[i]);
    if (fits)
        own->names = names;
    return fits ? own : NULL;
}
