/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TLS_TLS_H
#define ISWI_HOST_TLS_TLS_H

/*
 * What a server shows of itself, and whom it takes: certificates with their keys, and whose
 * certificates clients have. Read from PEM files at first, and again when these change; connections
 * that are open keep to what was there when they began.
 *
 * TLS 1.2 has only suites with forward secrecy and authenticated encryption (ECDHE with AES-GCM or
 * ChaCha20), which all clients of the last ten years have and HTTP/2 asks for; keys and signatures
 * are of OpenSSL's security level 2 (112 bits: RSA of 2,048 and more, no SHA-1). No renegotiation,
 * no compression, no early data. A session is resumed by tickets, for an hour at most; their keys
 * are new with each reading of the files, which is at least twice a day.
 */
#include <isoworker/log.h>
#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    ISWI_TLS_LOOK_MS = 2000, /* how often iswi_tls_look is to be called */
    ISWI_TLS_SOON_DAYS = 14  /* a certificate that expires by then is warned of */
};

typedef struct iswi_tls_certificate {
    const char *chain; /* path: the server's own certificate, then those that vouch for it */
    const char *key;   /* path: its private key, without a password */
} iswi_tls_certificate;

typedef enum iswi_tls_least { ISWI_TLS_1_2, ISWI_TLS_1_3 } iswi_tls_least;

typedef struct iswi_tls_options {
    iswi_tls_certificate first;         /* for clients that ask for no name, or nobody's */
    const iswi_tls_certificate *others; /* for those that ask for one of their names (SNI) */
    size_t other_count;
    const char *client_ca; /* path: who vouches for clients; NULL: they are not asked */
    bool client_optional;  /* a client may show no certificate; one that it shows must be good */
    iswi_tls_least least;
    bool http2; /* offered (ALPN), before http/1.1 */
    /* Lines for the log, on the thread of the call that they come of. NULL: nobody hears them. */
    void (*say)(void *user, isw_log_level level, const char *text);
    void *user;
} iswi_tls_options;

typedef struct iswi_tls iswi_tls;

/* Which file is at fault, for whoever knows where that was written. */
typedef struct iswi_tls_fault {
    enum { ISWI_TLS_FAULT_CHAIN, ISWI_TLS_FAULT_KEY, ISWI_TLS_FAULT_CLIENT_CA } file;
    size_t certificate; /* whose it is, of the first two: 0 the first one's, 1 that of others[0] */
} iswi_tls_fault;

/* Read the files. Of what is no error (an expired certificate, a key that everybody can read) `say`
 * hears. What `options` points to stays where it is as long as *out. Blocks on files. Errors:
 * ISW_E_CONFIG naming the file, the reason and the remedy, with *fault (may be NULL) filled,
 * ISW_E_NO_MEMORY. */
isw_status iswi_tls_create(const iswi_tls_options *options, iswi_tls **out, iswi_tls_fault *fault,
                           isw_error *error);

/* Once its sessions have ended. NULL is allowed. */
void iswi_tls_destroy(iswi_tls *tls);

/* Look whether files have changed, or read them anyway, as somebody asked. New files are for
 * sessions that begin from now on. Those that cannot be used are told with file and reason, and
 * change nothing. A file that is still being written is left alone until it was the same twice.
 * Blocks on files; one thread at a time, beside sessions that begin on others. */
void iswi_tls_look(iswi_tls *tls, bool asked);

/* -- Any thread -- */

/* Why the files could not be used when they were read again at last. False: they could. */
bool iswi_tls_refused(iswi_tls *tls, isw_error *out);
uint64_t iswi_tls_refusals(iswi_tls *tls); /* how often that was so */

/* Of each certificate in force, the first one at 0: its file, borrowed, and when it expires, since
 * 1970. NULL behind the last one. */
const char *iswi_tls_expiry(iswi_tls *tls, size_t index, int64_t *expires_s);

#endif
