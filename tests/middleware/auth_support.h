/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_MIDDLEWARE_AUTH_SUPPORT_H
#define ISW_TESTS_MIDDLEWARE_AUTH_SUPPORT_H

/*
 * An issuer for the tests of auth: keys made at run time, tokens signed with OpenSSL alone (so that
 * what verifies is not what signed), files, and a small HTTP server on loopback. Everything here
 * fails the test when it cannot do its work.
 */
#include "support/main.h"

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

/* A new key pair for `algorithm`, such as "RS256", with this kid (NULL for none). */
json_t *make_key(const char *algorithm, const char *id);

/* One of three key pairs for RS256 that are made once for all tests of a program, as RSA keys take
 * their time; with this kid (NULL for none). */
json_t *rsa_key(unsigned number, const char *id);

/* An RSA key of so many bits, public half, without kid. */
json_t *make_rsa_key(unsigned bits);

/* The public half, and what to add or change in it: `extra` is a JSON object or NULL. */
json_t *public_key(const json_t *key, const char *extra);

/* The public half of a new key. */
json_t *make_public_key(const char *algorithm, const char *id, const char *extra);

/* A JWK Set as text, for free(), of `count` keys; takes them over. */
char *key_set(json_t *const *keys, size_t count);

/* The public key as PEM, for free(): bytes that a confused verifier would use as a secret. */
char *public_pem(const json_t *key);

/* An "oct" key whose secret is these bytes. */
json_t *secret_key(const void *bytes, size_t size);

/* base64url of text, for free(). */
char *base64url(const void *bytes, size_t size);

/* Header and claims, both JSON texts, signed with `key` by RS256, ES256 or HS256, whatever the
 * header says. For free(). */
char *sign_token(const char *algorithm, const json_t *key, const char *header, const char *claims);

/* A new file in /tmp that holds `text`; *path is for free(). write_file replaces what is there by
 * another file (another inode). */
void make_file(const char *text, char **path);
void write_file(const char *path, const char *text);

/* -- A server on 127.0.0.1 that answers every request alike ------------------------------------ */

typedef struct test_server {
    pthread_t thread;
    int listener;
    unsigned port;
    pthread_mutex_t mutex; /* guards what follows */
    unsigned requests;
    int status;
    char *body;
    bool stopping;
} test_server;

void server_start(test_server *server, const char *body);
void server_answer(test_server *server, int status, const char *body); /* from now on */
unsigned server_requests(test_server *server);
char *server_url(const test_server *server); /* for free() */
void server_stop(test_server *server);

#endif
