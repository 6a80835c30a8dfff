/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_MIDDLEWARE_AUTH_WORKER_H
#define ISW_TESTS_MIDDLEWARE_AUTH_WORKER_H

/*
 * A worker with auth in its chain and functions of every level, whose handler says who calls:
 * "scheme|subject|issuer|role+role|scope+scope", or "nobody". Requests to it are rows of a table.
 */
#include "middleware/auth_support.h"

#include "../../middleware/auth.h"

#include <isoworker/isoworker.h>

/* Hashes as the command in auth_keys.h makes them from key-of-ann and so on. */
#define KEYS                                                                                \
    "      keys:\n"                                                                         \
    "        - name: ann\n"                                                                 \
    "          hash: sha256:00112233445566778899aabbccddeeff:"                              \
    "bc9f7383b52d9e99dff17485235bca5e86cf42606d4c1ce63a499917c7b11f30\n"                    \
    "        - name: bob\n"                                                                 \
    "          hash: \"sha256:0123456789abcdef:"                                            \
    "e6665f78e8be6b89edf7f8e0d64b899e9f16a0a4d5a8b2c5be41bb91f12f5267\"\n"                  \
    "          functions: [orders_*, staff, reader]\n"                                      \
    "          roles: [guest, manager]\n"                                                   \
    "          scopes: [list, read]\n"                                                      \
    "        - name: cron\n"                                                                \
    "          hash: sha256:8899aabbccddeeff0011223344556677:"                              \
    "7E33B37CF7FEAF5FEA2FAA6F31274E66350B3D4FF92B543DDBDE50C2990DE21E\n"                    \
    "          functions: [\"?o*s\", \"o*_l?st*\"]\n"                                          \
    "        - name: root\n"                                                                \
    "          hash: sha256:ffeeddccbbaa99887766554433221100:"                              \
    "61350d84779d294a054e2f5d0caccc0a13d491bc83e0130c14bd4bbd223d49bb\n"                    \
    "          level: admin\n"

typedef struct fixture {
    isw_worker *worker;
    json_t *key;
    char *yaml_path;
    char *keys_path;
} fixture;

/* Make `f->worker` from this YAML, whose path is then f->yaml_path, and configure it. */
isw_status make_worker(fixture *f, const char *yaml, isw_error *error);
void must_configure(fixture *f, const char *yaml);
void destroy_worker(fixture *f);

/* The same with KEYS and a jwt group, of which `source` is the line that says where keys are. */
void configure_jwt(fixture *f, const char *source);

/* As configure_jwt with a file of the public half of f->key, and `more` lines. */
void configure_jwt_file(fixture *f, const char *more);

/* The worker and all else that a fixture from calloc owns. */
int teardown(void **state);

typedef struct answer {
    int status;
    char challenge[128];
    char body[512];
    char reason[ISW_ERROR_MESSAGE_BYTES]; /* for operators */
} answer;

/* One request with up to two headers and two query parameters, each name and value. */
typedef struct request_row {
    const char *sentence;
    const char *function;
    int status;
    const char *answer; /* part of the body for 200, part of the reason otherwise */
    const char *headers[4];
    const char *query[4];
} request_row;

#define KEY(value) { "x-functions-key", value }
#define CODE(value) { NULL }, { "code", value }

/* Send a request of row->function, and hold its answer to the row. */
answer check_request(fixture *f, const request_row *row);

/* `scheme` followed by a token that is signed by RS256 with `key` and its kid, is valid for five
 * minutes and has these claims besides. For free(). */
char *bearer(const json_t *key, const char *scheme, const char *more);

/* The same for a request with a token by f->key. */
typedef struct token_row {
    const char *sentence;
    const char *function;
    int status;
    const char *answer;
    const char *scheme;
    const char *claims;
} token_row;
answer check_token(fixture *f, const token_row *row);

#endif
