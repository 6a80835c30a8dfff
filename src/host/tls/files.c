/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files, one after the other. Each refusal names the file, what is wrong with it, and what to
 * do where that can be said. */
#include "host/tls/internal.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>

void iswi_tls_say(const iswi_tls_ear *ear, isw_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!ear->say)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ear->say(ear->user, level, text);
}

const char *iswi_tls_reason(void)
{
    unsigned long code = ERR_peek_error(); /* the first one says most */
    const char *reason = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                                : ERR_reason_error_string(code);

    ERR_clear_error();
    return reason ? reason : "no reason is known";
}

/* Open it; what is no file would be waited for, or read as one without a line. */
static BIO *open_file(const char *path, struct stat *info, isw_error *error)
{
    BIO *file;

    if (stat(path, info) != 0) {
        isw_error_set(error, ISW_E_CONFIG, "%s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(info->st_mode)) {
        isw_error_set(error, ISW_E_CONFIG, "%s cannot be read: it is not a regular file", path);
        return NULL;
    }
    errno = 0;
    file = BIO_new_file(path, "r");
    if (!file)
        isw_error_set(error, errno ? ISW_E_CONFIG : ISW_E_NO_MEMORY, "%s cannot be read: %s", path,
                      errno ? strerror(errno) : "out of memory");
    ERR_clear_error();
    return file;
}

/* Whether OpenSSL complained that a file has no block of the kind at all. */
static bool has_none(void)
{
    unsigned long code = ERR_peek_error();

    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* -- The server's certificate ------------------------------------------------------------------ */

static void write_day(const ASN1_TIME *time, char out[16])
{
    struct tm day;

    snprintf(out, 16, "a bad date");
    if (ASN1_TIME_to_tm(time, &day))
        strftime(out, 16, "%Y-%m-%d", &day);
}

/* No reason not to start: clients refuse it, and an operator who mends it wants a server. */
static void look_at_dates(const X509 *certificate, const char *path, const iswi_tls_ear *ear)
{
    const ASN1_TIME *from = X509_get0_notBefore(certificate);
    const ASN1_TIME *until = X509_get0_notAfter(certificate);
    int days = 0;
    int seconds = 0;
    char day[16];

    write_day(until, day);
    if (X509_cmp_current_time(until) < 0) {
        iswi_tls_say(ear, ISW_LOG_WARNING, "%s has expired on %s: clients will refuse it", path,
                     day);
        return;
    }
    if (ASN1_TIME_diff(&days, &seconds, NULL, until) && days < ISWI_TLS_SOON_DAYS)
        iswi_tls_say(ear, ISW_LOG_WARNING, "%s expires on %s: it is time to renew it", path, day);
    write_day(from, day);
    if (X509_cmp_current_time(from) > 0)
        iswi_tls_say(ear, ISW_LOG_WARNING,
                     "%s is not valid before %s: clients will refuse it until then", path, day);
}

isw_status iswi_tls_use_chain(SSL_CTX *context, const char *path, const iswi_tls_ear *ear,
                              isw_error *error)
{
    struct stat info;
    BIO *file = open_file(path, &info, error);
    int used;

    if (!file)
        return error->status;
    BIO_free(file);
    used = SSL_CTX_use_certificate_chain_file(context, path);
    if (used != 1 && has_none())
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s has no certificate in PEM form (-----BEGIN CERTIFICATE-----)%s",
                             path, (ERR_clear_error(), ""));
    if (used != 1)
        return isw_error_set(error, ISW_E_CONFIG, "%s cannot be used: %s", path, iswi_tls_reason());
    look_at_dates(SSL_CTX_get0_certificate(context), path, ear);
    return ISW_OK;
}

/* -- Its key ----------------------------------------------------------------------------------- */

/* OpenSSL would ask the terminal. */
static int refuse_password(char *to, int size, int writing, void *user)
{
    bool *asked = user;

    (void)to;
    (void)size;
    (void)writing;
    *asked = true;
    return -1;
}

static EVP_PKEY *read_key(const char *path, const iswi_tls_ear *ear, isw_error *error)
{
    struct stat info;
    BIO *file = open_file(path, &info, error);
    bool asked = false;
    EVP_PKEY *key;

    if (!file)
        return NULL;
    key = PEM_read_bio_PrivateKey(file, NULL, refuse_password, &asked);
    BIO_free(file);
    if (!key && asked)
        isw_error_set(error, ISW_E_CONFIG,
                      "%s is protected by a password, which nobody is there to type; write the key "
                      "without one: openssl pkey -in %s -out plain.pem", path, path);
    else if (!key)
        isw_error_set(error, ISW_E_CONFIG, "%s has no private key in PEM form that can be read: %s",
                      path, iswi_tls_reason());
    ERR_clear_error();
    if (key && (info.st_mode & S_IROTH))
        iswi_tls_say(ear, ISW_LOG_WARNING,
                     "%s can be read by every user of this machine: chmod o-r it", path);
    return key;
}

isw_status iswi_tls_use_key(SSL_CTX *context, const iswi_tls_certificate *paths,
                            const iswi_tls_ear *ear, isw_error *error)
{
    EVP_PKEY *key = read_key(paths->key, ear, error);
    isw_status status = ISW_OK;

    if (!key)
        return error->status;
    if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1) {
        status = isw_error_set(error, ISW_E_CONFIG, "%s is not the key of the certificate in %s",
                               paths->key, paths->chain);
        ERR_clear_error();
    } else if (SSL_CTX_use_PrivateKey(context, key) != 1) {
        status = isw_error_set(error, ISW_E_CONFIG, "%s cannot be used: %s", paths->key,
                               iswi_tls_reason());
    }
    EVP_PKEY_free(key);
    return status;
}

/* -- Those who vouch for clients --------------------------------------------------------------- */

isw_status iswi_tls_use_client_ca(SSL_CTX *context, const char *path, isw_error *error)
{
    struct stat info;
    BIO *file = open_file(path, &info, error);
    STACK_OF(X509_NAME) *names;

    if (!file)
        return error->status;
    BIO_free(file);
    names = SSL_load_client_CA_file(path);
    if (!names || SSL_CTX_load_verify_file(context, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s has no certificates in PEM form that can be read: %s", path,
                             iswi_tls_reason());
    }
    SSL_CTX_set_client_CA_list(context, names); /* clients that have several choose by it */
    return ISW_OK;
}
