/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets: which keys get in, and how a file or a URL is followed over time. The clock is a number
 * here; nothing sleeps. */
#include "middleware/auth_support.h"

#include "../../middleware/auth_jwks.h"

#include <isoworker/isoworker.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { START_MS = 5000000, CACHE_MS = 600000, REFRESH_MS = 30000 };

/* -- Sets -------------------------------------------------------------------------------------- */

static auth_keyset *parse(const char *text)
{
    auth_keyset *set = NULL;
    isw_error error = { 0 };

    if (auth_keyset_parse(text, strlen(text), &set, &error) != ISW_OK)
        fail_msg("%s: %s", error.message, text);
    return set;
}

static size_t usable(json_t *key)
{
    char *text = key_set(&key, 1);
    auth_keyset *set = parse(text);
    size_t count = set->count;

    free(text);
    auth_keyset_release(set);
    return count;
}

static void keys_that_must_not_verify_are_left_out(void **state)
{
    json_t *rsa = rsa_key(0, "r");
    json_t *ec = make_key("ES256", "e");

    (void)state;
    assert_int_equal(usable(public_key(rsa, NULL)), 1);
    assert_int_equal(usable(public_key(rsa, "{\"use\":\"sig\"}")), 1);
    assert_int_equal(usable(public_key(rsa, "{\"use\":\"enc\"}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"use\":1}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"key_ops\":[\"sign\",\"verify\"]}")), 1);
    assert_int_equal(usable(public_key(rsa, "{\"key_ops\":[\"sign\"]}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"key_ops\":[]}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"key_ops\":\"verify\"}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"kid\":1}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"alg\":[\"RS256\"]}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"kty\":\"OKP\"}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"kty\":\"rsa\"}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"n\":\"AQAB\"}")), 0);
    assert_int_equal(usable(public_key(rsa, "{\"n\":1}")), 0);
    assert_int_equal(usable(public_key(ec, NULL)), 1);
    assert_int_equal(usable(public_key(ec, "{\"x\":\"AAAA\"}")), 0);
    assert_int_equal(usable(public_key(ec, "{\"crv\":\"P-384\"}")), 0);
    assert_int_equal(usable(public_key(ec, "{\"crv\":\"P-999\"}")), 0);
    assert_int_equal(usable(json_string("RSA")), 0);
    assert_int_equal(usable(make_rsa_key(2048)), 1);
    assert_int_equal(usable(make_rsa_key(2047)), 0);
    assert_int_equal(usable(make_rsa_key(1024)), 0);
    json_decref(ec);
    json_decref(rsa);
}

static void private_members_are_dropped(void **state)
{
    json_t *rsa = rsa_key(0, "r");
    char *text = key_set(&rsa, 1);
    auth_keyset *set = parse(text);

    (void)state;
    assert_int_equal(set->count, 1);
    assert_string_equal(set->keys[0].id, "r");
    assert_int_equal(json_object_size(set->keys[0].jwk), 3);
    assert_null(json_object_get(set->keys[0].jwk, "d"));
    free(text);
    auth_keyset_release(set);
}

static void a_key_fits_algorithms_of_its_kind_alone(void **state)
{
    json_t *keys[] = { make_public_key("RS256", NULL, NULL),
                       make_public_key("ES256", NULL, "{\"alg\":\"ES256\"}"),
                       make_public_key("ES384", NULL, NULL), make_key("HS512", NULL),
                       make_key("HS256", NULL) };
    static const char *const fits[] = { "RS256 RS384 RS512 PS256 PS384 PS512", "ES256", "ES384",
                                        "HS256 HS384 HS512", "HS256" };
    static const char *const all[] = { "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                       "ES256", "ES384", "ES512", "HS256", "HS384", "HS512" };
    char *text = key_set(keys, 5);
    auth_keyset *set = parse(text);

    (void)state;
    assert_int_equal(set->count, 5);
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
            assert_int_equal(auth_key_fits(&set->keys[i], auth_algorithm_find(all[k])),
                             strstr(fits[i], all[k]) != NULL);
    assert_null(auth_algorithm_find("none"));
    assert_null(auth_algorithm_find("rs256"));
    assert_null(auth_algorithm_find(""));
    free(text);
    auth_keyset_release(set);
}

static void what_is_no_key_set_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "keys", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}", "{\"keys\":[{\"kty\":\"RSA\",\"kty\":\"oct\"}]}",
        "-----BEGIN PRIVATE KEY-----",
    };
    isw_error error;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        auth_keyset *set = NULL;

        memset(&error, 0, sizeof error);
        if (auth_keyset_parse(texts[i], strlen(texts[i]), &set, &error) != ISW_E_INVALID || set)
            fail_msg("not refused: %s", texts[i]);
        assert_non_null(strstr(error.message, "no JWK Set"));
        assert_null(strstr(error.message, "PRIVATE"));
    }
}

static void more_keys_than_64_are_refused(void **state)
{
    json_t *keys[AUTH_KEYSET_MAX_KEYS + 1];
    auth_keyset *set = NULL;
    isw_error error = { 0 };
    char *text;

    (void)state;
    for (size_t i = 0; i < AUTH_KEYSET_MAX_KEYS + 1; i++)
        keys[i] = json_object();
    text = key_set(keys, AUTH_KEYSET_MAX_KEYS + 1);
    assert_int_equal(auth_keyset_parse(text, strlen(text), &set, &error), ISW_E_INVALID);
    free(text);
}

/* -- Sources ----------------------------------------------------------------------------------- */

static char *set_of(const char *id)
{
    json_t *key = make_public_key("ES256", id, NULL);

    return key_set(&key, 1);
}

static void open_source(auth_jwks *jwks, const char *file, const char *url)
{
    const auth_jwks_source source = { file, url, CACHE_MS, REFRESH_MS };
    isw_error error = { 0 };

    if (auth_jwks_init(jwks, &source, START_MS, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

/* The id of the only key that is served at `ms` after the start, or "none". `lacking` as in
 * auth_jwks_get: whether the caller had that set already and it did not help. */
static const char *served(auth_jwks *jwks, int64_t ms, bool lacking, char id[64])
{
    auth_keyset *set = NULL;
    auth_keyset *newer = NULL;
    isw_error note = { 0 };

    strcpy(id, "none");
    if (auth_jwks_get(jwks, NULL, START_MS + ms, &set, &note) != ISW_OK) {
        assert_true(note.message[0] != '\0');
        return id;
    }
    if (lacking && auth_jwks_get(jwks, set, START_MS + ms, &newer, &note) == ISW_OK) {
        auth_keyset_release(set);
        set = newer;
    }
    snprintf(id, 64, "%s", set->count ? set->keys[0].id : "empty");
    auth_keyset_release(set);
    return id;
}

#define ASSERT_SERVED(jwks, ms, key)                                       \
    do {                                                                   \
        char served_id[64];                                                \
        assert_string_equal(served(jwks, ms, false, served_id), key);      \
    } while (0)
#define ASSERT_SERVED_LACKING(jwks, ms, key)                               \
    do {                                                                   \
        char served_id[64];                                                \
        assert_string_equal(served(jwks, ms, true, served_id), key);       \
    } while (0)

static void a_file_is_followed_once_a_second(void **state)
{
    char *one = set_of("one");
    char *two = set_of("two");
    auth_jwks jwks;
    char *path;

    (void)state;
    make_file(one, &path);
    open_source(&jwks, path, NULL);
    ASSERT_SERVED(&jwks, 0, "one");
    write_file(path, two);
    ASSERT_SERVED_LACKING(&jwks, 999, "one");
    ASSERT_SERVED(&jwks, 1000, "two");
    write_file(path, one);
    ASSERT_SERVED_LACKING(&jwks, 1999, "two");
    ASSERT_SERVED(&jwks, 2000, "one");
    ASSERT_SERVED(&jwks, 100 * CACHE_MS, "one");
    write_file(path, "{\"keys\":[]}");
    ASSERT_SERVED(&jwks, 101 * CACHE_MS, "empty");
    auth_jwks_fini(&jwks);
    unlink(path);
    free(path);
    free(two);
    free(one);
}

/* As Kubernetes has them: the name leads to a folder that is switched. */
static void a_link_is_followed_to_where_it_leads_now(void **state)
{
    char *one = set_of("one");
    char *two = set_of("two");
    char *first, *second;
    char link[] = "/tmp/isw-auth-link-XXXXXX";
    auth_jwks jwks;

    (void)state;
    make_file(one, &first);
    make_file(two, &second);
    close(mkstemp(link));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(first, link), 0);
    open_source(&jwks, link, NULL);
    ASSERT_SERVED(&jwks, 0, "one");
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(second, link), 0);
    ASSERT_SERVED(&jwks, 1000, "two");
    write_file(second, one);
    ASSERT_SERVED(&jwks, 2000, "one");
    auth_jwks_fini(&jwks);
    unlink(link);
    unlink(second);
    unlink(first);
    free(second);
    free(first);
    free(two);
    free(one);
}

static void a_broken_file_keeps_the_old_keys_for_a_while(void **state)
{
    char *one = set_of("one");
    auth_jwks jwks;
    char *path;

    (void)state;
    make_file(one, &path);
    open_source(&jwks, path, NULL);
    write_file(path, "{\"keys\":[");
    ASSERT_SERVED(&jwks, 1000, "one");
    ASSERT_SERVED(&jwks, 2 * CACHE_MS - 1, "one");
    ASSERT_SERVED(&jwks, 2 * CACHE_MS, "none");
    write_file(path, one);
    ASSERT_SERVED(&jwks, 2 * CACHE_MS + 1000, "one");
    unlink(path);
    ASSERT_SERVED(&jwks, 4 * CACHE_MS + 999, "one");
    ASSERT_SERVED(&jwks, 4 * CACHE_MS + 1000, "none");
    auth_jwks_fini(&jwks);
    free(path);
    free(one);
}

static void a_file_without_keys_does_not_start(void **state)
{
    auth_jwks_source source = { NULL, NULL, CACHE_MS, REFRESH_MS };
    isw_error error = { 0 };
    auth_jwks jwks;
    char *path;

    (void)state;
    make_file("{\"keys\":[{\"kty\":\"OKP\"}]}", &path);
    source.file = path;
    assert_int_equal(auth_jwks_init(&jwks, &source, START_MS, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "no key in it"));
    memset(&error, 0, sizeof error);
    write_file(path, "keys");
    assert_int_equal(auth_jwks_init(&jwks, &source, START_MS, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, path));
    memset(&error, 0, sizeof error);
    source.file = "/tmp";
    assert_int_equal(auth_jwks_init(&jwks, &source, START_MS, &error), ISW_E_CONFIG);
    unlink(path);
    free(path);
}

/* How many refusals a caller is to be told of now. */
static size_t news(auth_jwks *jwks)
{
    auth_keyset *set = auth_jwks_news(jwks);
    const size_t count = set ? set->refusal_count : 0;

    auth_keyset_release(set);
    return count;
}

static void refusals_are_told_once_and_again_when_they_change(void **state)
{
    json_t *rsa = rsa_key(0, NULL);
    json_t *first[] = { public_key(rsa, "{\"kid\":\"one\"}"), public_key(rsa, "{\"e\":\"AQ\"}") };
    json_t *second[] = { public_key(rsa, "{\"kid\":\"two\"}"), public_key(rsa, "{\"e\":\"AQ\"}") };
    json_t *third[] = { public_key(rsa, "{\"kid\":\"one\"}"), public_key(rsa, "{\"e\":\"Ag\"}") };
    char *one = key_set(first, 2);
    char *two = key_set(second, 2);
    char *three = key_set(third, 2);
    auth_jwks jwks;
    char *path;

    (void)state;
    make_file(one, &path);
    open_source(&jwks, path, NULL);
    assert_int_equal(news(&jwks), 1);
    assert_int_equal(news(&jwks), 0);
    write_file(path, two);
    ASSERT_SERVED(&jwks, 1000, "two");
    assert_int_equal(news(&jwks), 0);
    write_file(path, three);
    ASSERT_SERVED(&jwks, 2000, "one");
    assert_int_equal(news(&jwks), 1);
    assert_int_equal(news(&jwks), 0);
    auth_jwks_fini(&jwks);
    unlink(path);
    free(path);
    free(three);
    free(two);
    free(one);
    json_decref(rsa);
}

/* A server that has the key "one", and "two" later, and what follows it. */
typedef struct site {
    char *one, *two, *url;
    test_server server;
    bool down;
    auth_jwks jwks;
} site;

/* It answers with `status` at first. */
static void site_open(site *s, int status)
{
    s->one = set_of("one");
    s->two = set_of("two");
    s->down = false;
    server_start(&s->server, s->one);
    s->url = server_url(&s->server);
    server_answer(&s->server, status, s->one);
    open_source(&s->jwks, NULL, s->url);
}

static void site_goes_down(site *s)
{
    if (!s->down)
        server_stop(&s->server);
    s->down = true;
}

static void site_close(site *s)
{
    auth_jwks_fini(&s->jwks);
    site_goes_down(s);
    free(s->url);
    free(s->two);
    free(s->one);
}

static void a_url_is_fetched_once_and_cached(void **state)
{
    site s;

    (void)state;
    site_open(&s, 200);
    for (int64_t ms = 0; ms < CACHE_MS; ms += 1000)
        ASSERT_SERVED(&s.jwks, ms, "one");
    assert_int_equal(server_requests(&s.server), 1);
    server_answer(&s.server, 200, s.two);
    ASSERT_SERVED(&s.jwks, CACHE_MS, "two");
    ASSERT_SERVED(&s.jwks, CACHE_MS + 1, "two");
    assert_int_equal(server_requests(&s.server), 2);
    site_close(&s);
}

static void an_unknown_kid_refreshes_at_most_every_interval(void **state)
{
    site s;

    (void)state;
    site_open(&s, 200);
    server_answer(&s.server, 200, s.two);
    ASSERT_SERVED(&s.jwks, 1, "one");
    ASSERT_SERVED_LACKING(&s.jwks, 2, "two");
    assert_int_equal(server_requests(&s.server), 2);
    for (int64_t ms = 3; ms < REFRESH_MS; ms += 100)
        ASSERT_SERVED_LACKING(&s.jwks, ms, "two");
    assert_int_equal(server_requests(&s.server), 2);
    ASSERT_SERVED_LACKING(&s.jwks, REFRESH_MS + 2, "two");
    assert_int_equal(server_requests(&s.server), 3);
    site_close(&s);
}

static void a_server_that_is_down_ends_in_no_keys(void **state)
{
    site s;

    (void)state;
    site_open(&s, 200);
    server_answer(&s.server, 500, s.one);
    ASSERT_SERVED(&s.jwks, CACHE_MS, "one");
    ASSERT_SERVED(&s.jwks, CACHE_MS + 4999, "one");
    assert_int_equal(server_requests(&s.server), 2);
    ASSERT_SERVED(&s.jwks, CACHE_MS + 5000, "one");
    assert_int_equal(server_requests(&s.server), 3);
    site_goes_down(&s);
    ASSERT_SERVED(&s.jwks, 2 * CACHE_MS - 1, "one");
    ASSERT_SERVED(&s.jwks, 2 * CACHE_MS, "none");
    site_close(&s);
}

static void a_server_that_comes_up_late_is_found(void **state)
{
    site s;

    (void)state;
    site_open(&s, 503);
    ASSERT_SERVED(&s.jwks, 0, "none");
    server_answer(&s.server, 200, s.one);
    ASSERT_SERVED(&s.jwks, 4999, "none");
    assert_int_equal(server_requests(&s.server), 1);
    ASSERT_SERVED(&s.jwks, 5000, "one");
    site_close(&s);
}

static void an_answer_that_is_not_plainly_right_is_no_key_set(void **state)
{
    static const int others[] = { 201, 204, 301, 302, 307, 401, 404, 500 };
    char *one = set_of("one");
    char *large = malloc(AUTH_FETCH_MAX_BYTES + 2);
    test_server server;
    auth_text text;
    char *url;

    (void)state;
    memset(large, ' ', AUTH_FETCH_MAX_BYTES + 1);
    large[AUTH_FETCH_MAX_BYTES + 1] = '\0';
    server_start(&server, large);
    url = server_url(&server);
    assert_int_equal(auth_fetch_url(url, &text, NULL), ISW_E_UNAVAILABLE);
    large[AUTH_FETCH_MAX_BYTES] = '\0';
    server_answer(&server, 200, large);
    assert_int_equal(auth_fetch_url(url, &text, NULL), ISW_OK);
    assert_int_equal(text.size, AUTH_FETCH_MAX_BYTES);
    free(text.data);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        server_answer(&server, others[i], others[i] == 204 ? "" : one);
        assert_int_equal(auth_fetch_url(url, &text, NULL), ISW_E_UNAVAILABLE);
    }
    /* A redirect that had been followed would be a second request. */
    assert_int_equal(server_requests(&server), 2 + sizeof others / sizeof others[0]);
    server_stop(&server);
    free(url);
    free(large);
    free(one);
}

static void keys_come_over_https_or_from_loopback(void **state)
{
    static const char *const allowed[] = {
        "https://issuer.example/keys", "HTTPS://issuer.example/keys", "http://127.0.0.1:8080/keys",
        "http://localhost/keys",       "http://[::1]:80/keys",        "https://127.0.0.1/",
    };
    static const char *const refused[] = {
        "http://issuer.example/keys",
        "http://127.0.0.1.issuer.example/",
        "http://127.0.0.1@issuer.example/",
        "http://localhost:80@issuer.example/",
        "http://localhost.issuer.example/",
        "https://user:secret@issuer.example/",
        "http://[::2]/",
        "http://0.0.0.0/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "issuer.example/keys",
        "//127.0.0.1/keys",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (!auth_url_allowed(allowed[i]))
            fail_msg("refused: %s", allowed[i]);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (auth_url_allowed(refused[i]))
            fail_msg("allowed: %s", refused[i]);
}

/* -- Threads ----------------------------------------------------------------------------------- */

enum { THREADS = 8 };

static void *find_new_key(void *user)
{
    char id[64];

    served(user, 1, true, id);
    return strcmp(id, "two") == 0 ? user : NULL;
}

/* Whoever meets the new key while it is being fetched waits for it; nobody is refused for being
 * early. */
static void threads_share_one_fetch(void **state)
{
    pthread_t threads[THREADS];
    void *found;
    site s;

    (void)state;
    site_open(&s, 200);
    server_answer(&s.server, 200, s.two);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_new_key, &s.jwks), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &found);
        assert_ptr_equal(found, &s.jwks);
    }
    assert_int_equal(server_requests(&s.server), 2);
    site_close(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keys_that_must_not_verify_are_left_out),
    cmocka_unit_test(private_members_are_dropped),
    cmocka_unit_test(a_key_fits_algorithms_of_its_kind_alone),
    cmocka_unit_test(what_is_no_key_set_is_refused),
    cmocka_unit_test(more_keys_than_64_are_refused),
    cmocka_unit_test(a_file_is_followed_once_a_second),
    cmocka_unit_test(a_link_is_followed_to_where_it_leads_now),
    cmocka_unit_test(a_broken_file_keeps_the_old_keys_for_a_while),
    cmocka_unit_test(a_file_without_keys_does_not_start),
    cmocka_unit_test(refusals_are_told_once_and_again_when_they_change),
    cmocka_unit_test(a_url_is_fetched_once_and_cached),
    cmocka_unit_test(an_unknown_kid_refreshes_at_most_every_interval),
    cmocka_unit_test(a_server_that_is_down_ends_in_no_keys),
    cmocka_unit_test(a_server_that_comes_up_late_is_found),
    cmocka_unit_test(an_answer_that_is_not_plainly_right_is_no_key_set),
    cmocka_unit_test(keys_come_over_https_or_from_loopback),
    cmocka_unit_test(threads_share_one_fetch),
};

ISW_TEST_MAIN(tests)
