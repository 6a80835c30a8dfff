/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, tokens, files and a server for the tests of auth. */
#include "middleware/auth_support.h"

#include <arpa/inet.h>
#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/openssl.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- Keys -------------------------------------------------------------------------------------- */

json_t *make_key(const char *algorithm, const char *id)
{
    json_t *key = json_pack("{s:s}", "alg", algorithm);

    assert_true(jose_jwk_gen(NULL, key));
    json_object_del(key, "alg");
    json_object_del(key, "key_ops");
    if (id)
        assert_int_equal(json_object_set_new(key, "kid", json_string(id)), 0);
    return key;
}

json_t *rsa_key(unsigned number, const char *id)
{
    static json_t *made[3];
    json_t *key;

    if (!made[number])
        made[number] = make_key("RS256", NULL);
    key = json_deep_copy(made[number]);
    if (id)
        assert_int_equal(json_object_set_new(key, "kid", json_string(id)), 0);
    return key;
}

json_t *make_rsa_key(unsigned bits)
{
    EVP_PKEY *pkey = EVP_RSA_gen(bits);
    json_t *private = jose_openssl_jwk_from_EVP_PKEY(NULL, pkey);
    json_t *key = public_key(private, NULL);

    json_decref(private);
    EVP_PKEY_free(pkey);
    return key;
}

json_t *make_public_key(const char *algorithm, const char *id, const char *extra)
{
    json_t *private = make_key(algorithm, id);
    json_t *key = public_key(private, extra);

    json_decref(private);
    return key;
}

json_t *public_key(const json_t *key, const char *extra)
{
    json_t *copy = json_deep_copy(key);
    json_t *more = extra ? json_loads(extra, 0, NULL) : json_object();

    assert_true(jose_jwk_pub(NULL, copy));
    assert_non_null(more);
    assert_int_equal(json_object_update(copy, more), 0);
    json_decref(more);
    return copy;
}

char *key_set(json_t *const *keys, size_t count)
{
    json_t *list = json_array();
    json_t *set;
    char *text;

    for (size_t i = 0; i < count; i++)
        assert_int_equal(json_array_append_new(list, keys[i]), 0);
    set = json_pack("{s:o}", "keys", list);
    text = json_dumps(set, JSON_INDENT(1));
    json_decref(set);
    assert_non_null(text);
    return text;
}

static EVP_PKEY *pkey_of(const json_t *key)
{
    EVP_PKEY *pkey = jose_openssl_jwk_to_EVP_PKEY(NULL, key);

    assert_non_null(pkey);
    return pkey;
}

char *public_pem(const json_t *key)
{
    EVP_PKEY *pkey = pkey_of(key);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    char *text;
    long size;

    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    size = BIO_get_mem_data(bio, &bytes);
    text = strndup(bytes, (size_t)size);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return text;
}

json_t *secret_key(const void *bytes, size_t size)
{
    return json_pack("{s:s, s:o}", "kty", "oct", "k", jose_b64_enc(bytes, size));
}

/* -- Tokens ------------------------------------------------------------------------------------ */

char *base64url(const void *bytes, size_t size)
{
    json_t *text = jose_b64_enc(bytes, size);
    char *copy = strdup(json_string_value(text));

    json_decref(text);
    return copy;
}

static size_t sign_secret(const json_t *key, const char *text, unsigned char *out)
{
    const json_t *secret = json_object_get(key, "k");
    unsigned char bytes[4096];
    size_t size = jose_b64_dec(secret, bytes, sizeof bytes);
    unsigned written = 0;

    assert_true(size != SIZE_MAX);
    assert_non_null(HMAC(EVP_sha256(), bytes, (int)size, (const unsigned char *)text, strlen(text),
                         out, &written));
    return written;
}

static size_t sign_pkey(const json_t *key, const char *text, unsigned char *out, size_t size)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY *pkey = pkey_of(key);

    assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, pkey), 1);
    assert_int_equal(EVP_DigestSign(md, out, &size, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    return size;
}

/* DER to two numbers of 32 bytes (RFC 7518, section 3.4). */
static size_t to_pair(unsigned char *bytes, size_t size)
{
    const unsigned char *at = bytes;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);

    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32), 32);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32), 32);
    ECDSA_SIG_free(pair);
    return 64;
}

char *sign_token(const char *algorithm, const json_t *key, const char *header, const char *claims)
{
    char *first = base64url(header, strlen(header));
    char *second = base64url(claims, strlen(claims));
    unsigned char bytes[1024];
    char *signature;
    char *signed_part;
    char *token;
    size_t size;

    assert_true(asprintf(&signed_part, "%s.%s", first, second) > 0);
    if (strcmp(algorithm, "HS256") == 0)
        size = sign_secret(key, signed_part, bytes);
    else
        size = sign_pkey(key, signed_part, bytes, sizeof bytes);
    if (strcmp(algorithm, "ES256") == 0)
        size = to_pair(bytes, size);
    signature = base64url(bytes, size);
    assert_true(asprintf(&token, "%s.%s", signed_part, signature) > 0);
    free(signature);
    free(signed_part);
    free(second);
    free(first);
    return token;
}

/* -- Files ------------------------------------------------------------------------------------- */

void make_file(const char *text, char **path)
{
    int fd;

    *path = strdup("/tmp/isw-auth-XXXXXX");
    fd = mkstemp(*path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

void write_file(const char *path, const char *text)
{
    char *fresh;

    make_file(text, &fresh);
    assert_int_equal(rename(fresh, path), 0);
    free(fresh);
}

/* -- Server ------------------------------------------------------------------------------------ */

static void read_request(int fd)
{
    char text[4096];
    size_t size = 0;

    while (size < sizeof text - 1) {
        ssize_t got = read(fd, text + size, sizeof text - 1 - size);

        if (got <= 0)
            return;
        size += (size_t)got;
        text[size] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return;
    }
}

static bool answer(test_server *server, int fd)
{
    char *text = NULL;
    bool stopping;

    read_request(fd);
    pthread_mutex_lock(&server->mutex);
    stopping = server->stopping;
    if (!stopping) {
        server->requests++;
        if (asprintf(&text,
                     "HTTP/1.1 %d Whatever\r\nLocation: /elsewhere\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     server->status, strlen(server->body), server->body) < 0)
            text = NULL;
    }
    pthread_mutex_unlock(&server->mutex);
    for (size_t sent = 0, size = text ? strlen(text) : 0; sent < size;) {
        ssize_t wrote = send(fd, text + sent, size - sent, MSG_NOSIGNAL);

        if (wrote <= 0)
            break;
        sent += (size_t)wrote;
    }
    free(text);
    return !stopping;
}

static void *serve(void *user)
{
    test_server *server = user;
    bool more = true;

    while (more) {
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0)
            break;
        more = answer(server, fd);
        close(fd);
    }
    return NULL;
}

static struct sockaddr_in loopback(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };

    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void server_start(test_server *server, const char *body)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;

    memset(server, 0, sizeof *server);
    server->status = 200;
    server->body = strdup(body);
    pthread_mutex_init(&server->mutex, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 64), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void server_answer(test_server *server, int status, const char *body)
{
    pthread_mutex_lock(&server->mutex);
    free(server->body);
    server->body = strdup(body);
    server->status = status;
    pthread_mutex_unlock(&server->mutex);
}

unsigned server_requests(test_server *server)
{
    unsigned requests;

    pthread_mutex_lock(&server->mutex);
    requests = server->requests;
    pthread_mutex_unlock(&server->mutex);
    return requests;
}

char *server_url(const test_server *server)
{
    char *url;

    assert_true(asprintf(&url, "http://127.0.0.1:%u/keys", server->port) > 0);
    return url;
}

/* A last connection wakes the thread out of accept. */
void server_stop(test_server *server)
{
    struct sockaddr_in address = loopback(server->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    pthread_mutex_lock(&server->mutex);
    server->stopping = true;
    pthread_mutex_unlock(&server->mutex);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    shutdown(fd, SHUT_WR);
    pthread_join(server->thread, NULL);
    close(fd);
    close(server->listener);
    free(server->body);
    pthread_mutex_destroy(&server->mutex);
}
