/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens in a real worker: the header, roles and scopes, and what callers are told. */
#include "middleware/auth_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int setup_tokens(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->key = rsa_key(0, "k1");
    configure_jwt_file(f, "");
    *state = f;
    return 0;
}

/* -- Tokens ------------------------------------------------------------------------------------ */

static void tokens_carry_roles_and_scopes(void **state)
{
    static const token_row rows[] = {
        { "a token opens function level", "plain", 200, "jwt|ann|https://issuer.example||",
          "Bearer ", "" },
        { "the scheme has no case", "plain", 200, "jwt|ann", "bearer ", "" },
        { "the scheme has no case at all", "plain", 200, "jwt|ann", "bEARER ", "" },
        { "several spaces are allowed", "plain", 200, "jwt|ann", "Bearer   ", "" },
        { "no space is refused", "plain", 401, "no kind", "Bearer", "" },
        { "a tab is refused", "plain", 401, "no kind", "Bearer\t", "" },
        { "another scheme is refused", "plain", 401, "no kind", "Basic ", "" },
        { "a scheme that begins alike is refused", "plain", 401, "no kind", "BearerX ", "" },
        { "the scheme twice is refused", "plain", 401, "compact", "Bearer Bearer ", "" },
        { "a token is no admin", "boss", 403, "no admin", "Bearer ", "" },
        { "the role admin is", "boss", 200, "jwt|ann", "Bearer ", "\"roles\":[\"x\",\"admin\"]" },
        { "Admin is another role", "boss", 403, "no admin", "Bearer ", "\"roles\":[\"Admin\"]" },
        { "the scope admin is no role", "boss", 403, "admin", "Bearer ", "\"scope\":\"admin\"" },
        { "no roles are refused", "staff", 403, "roles", "Bearer ", "" },
        { "other roles are refused", "staff", 403, "roles", "Bearer ", "\"roles\":[\"cler\"]" },
        { "the first role opens", "staff", 200, "|clerk|", "Bearer ", "\"roles\":[\"clerk\"]" },
        { "the second role opens", "staff", 200, "|", "Bearer ", "\"roles\":[\"x\",\"manager\"]" },
        { "one role as text opens", "staff", 200, "|clerk|", "Bearer ", "\"roles\":\"clerk\"" },
        { "a role is not cut into words", "staff", 403, "roles", "Bearer ",
          "\"roles\":\"no clerk\"" },
        { "a list of two words is no role", "staff", 403, "roles", "Bearer ",
          "\"roles\":[\"clerk, manager\"]" },
        { "an object has no roles", "staff", 403, "roles", "Bearer ",
          "\"roles\":{\"clerk\":true}" },
        { "numbers among roles are skipped", "staff", 200, "|clerk|", "Bearer ",
          "\"roles\":[1,null,\"clerk\"]" },
        { "no scopes are refused", "reader", 403, "scope", "Bearer ", "" },
        { "one of two scopes is refused", "reader", 403, "scope", "Bearer ", "\"scope\":\"read\"" },
        { "both scopes open", "reader", 200, "read+x+list", "Bearer ",
          "\"scope\":\"read x  list\"" },
        { "scopes as a list open", "reader", 200, "list+read", "Bearer ",
          "\"scope\":[\"list\",\"read\"]" },
        { "part of a scope is none", "reader", 403, "scope", "Bearer ",
          "\"scope\":\"reader listing\"" },
        { "a role without the scope is refused", "both", 403, "scope", "Bearer ",
          "\"roles\":[\"clerk\"]" },
        { "a scope without the role is refused", "both", 403, "roles", "Bearer ",
          "\"scope\":\"read\"" },
        { "role and scope open", "both", 200, "|clerk|read", "Bearer ",
          "\"roles\":[\"clerk\"],\"scope\":\"read\"" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_token(*state, &rows[i]);
}

/* A token against a worker whose roles_claim is `path`. */
static void check_claim(fixture *f, const char *path, token_row row)
{
    char *more;

    if (f->worker)
        destroy_worker(f);
    if (f->keys_path)
        unlink(f->keys_path);
    free(f->keys_path);
    assert_true(asprintf(&more, "roles_claim: \"%s\"", path) > 0);
    configure_jwt_file(f, more);
    row.sentence = path;
    row.function = "staff";
    row.scheme = "Bearer ";
    check_token(f, &row);
    free(more);
}

#define OPENS(more)                                             \
    (token_row)                                                 \
    {                                                           \
        .status = 200, .answer = "|clerk|", .claims = more      \
    }
#define CLOSED(more)                                            \
    (token_row)                                                 \
    {                                                           \
        .status = 403, .answer = "none at jwt", .claims = more  \
    }

/* Where Keycloak, Auth0 and Cognito put roles. */
static void a_claim_is_found_by_its_path(void **state)
{
    static const char realm[] = "\"realm_access\":{\"roles\":[\"clerk\"]}";
    static const char clients[] = "\"resource_access\":{\"shop\":{\"roles\":[\"clerk\"]},"
                                  "\"my.shop\":{\"roles\":[\"clerk\"]},"
                                  "\"my\":{\"other\":{\"roles\":[\"x\"]}}}";
    fixture *f = *state;

    check_claim(f, "realm_access.roles", OPENS(realm));
    check_claim(f, "resource_access.shop.roles", OPENS(clients));
    check_claim(f, "resource_access.my.shop.roles", OPENS(clients));
    check_claim(f, "resource_access.our.shop.roles", CLOSED(clients));
    check_claim(f, "resource_access", CLOSED(clients));
    check_claim(f, "realm_access.roles.clerk", CLOSED(realm));
    check_claim(f, "roles", CLOSED(realm));
    check_claim(f, "https://shop.example/roles",
                OPENS("\"https://shop.example/roles\":[\"clerk\"]"));
    check_claim(f, "https://shop.example/app.roles",
                OPENS("\"https://shop.example/app\":{\"roles\":[\"clerk\"]}"));
    check_claim(f, "realm_access.roles",
                OPENS("\"realm_access.roles\":[\"clerk\"],\"realm_access\":{\"roles\":[\"x\"]}"));
    check_claim(f, "cognito:groups", OPENS("\"cognito:groups\":[\"clerk\"]"));
    check_claim(f, "..", CLOSED(realm));
    check_claim(f, "realm_access..roles", CLOSED(realm));
    check_claim(f, "", CLOSED(realm));
}

static void one_credential_of_a_kind_decides(void **state)
{
    fixture *f = *state;
    char *good = bearer(f->key, "Bearer ", "");
    char *bad = bearer(f->key, "Bearer ", "\"iss\":\"x\"");
    const request_row rows[] = {
        { "two good tokens are refused", "plain", 401, "more than one Authorization",
          { "authorization", good, "Authorization", good }, { NULL } },
        { "a good token beside a wrong key opens", "plain", 200, "jwt",
          { "authorization", good, "x-functions-key", "wrong" }, { NULL } },
        { "a bad token is not mended by a key", "plain", 401, "malformed",
          { "authorization", bad, "x-functions-key", "key-of-root" }, { NULL } },
        { "another scheme is left to the function beside a key", "plain", 200, "key|ann",
          { "authorization", "Basic YTpi", "x-functions-key", "key-of-ann" }, { NULL } },
        { "another scheme beside a wrong key is refused", "plain", 401, "not one of ours",
          { "authorization", "Basic YTpi", "x-functions-key", "wrong" }, { NULL } },
        { "a token in the query is none", "plain", 401, "no credentials", { NULL },
          { "access_token", good + 7 } },
        { "a token in a key's place is none", "plain", 401, "not one of ours",
          { "x-functions-key", good + 7 }, { NULL } },
        { "the scheme alone is refused", "plain", 401, "compact", { "authorization", "Bearer" },
          { NULL } },
        { "an empty header is refused", "plain", 401, "no kind", { "authorization", "" },
          { NULL } },
        { "an anonymous function does not look at tokens", "open", 200, "nobody",
          { "authorization", bad }, { NULL } },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_request(f, &rows[i]);
    free(bad);
    free(good);
}

/* RFC 6750, section 3: the challenge, and an error code only for those who showed a token. */
static void answers_say_what_to_do_and_not_why(void **state)
{
    static const request_row nothing = { "nothing", "plain", 401, "", { 0 }, { 0 } };
    static const request_row key = { "a key", "boss", 403, "", KEY("key-of-ann"), { 0 } };
    static const token_row expired = { "expired", "plain", 401, "malformed", "Bearer ",
                                       "\"exp\":1" };
    fixture *f = *state;
    char *good = bearer(f->key, "Bearer ", "");
    const request_row no_admin = { "no admin", "boss", 403, "no admin", { "authorization", good },
                                   { NULL } };
    answer got = check_request(f, &nothing);

    assert_string_equal(got.challenge, "Bearer realm=\"isoworker\"");
    assert_non_null(strstr(got.body, "\"title\":\"Unauthorized\",\"status\":401,\"instance\""));
    got = check_request(f, &key);
    assert_non_null(strstr(got.body, "\"title\":\"Forbidden\",\"status\":403,\"instance\""));
    got = check_token(f, &expired);
    assert_string_equal(got.challenge, "Bearer realm=\"isoworker\", error=\"invalid_token\"");
    assert_null(strstr(got.body, "malformed"));
    got = check_request(f, &no_admin);
    assert_string_equal(got.challenge, "Bearer realm=\"isoworker\", error=\"insufficient_scope\"");
    assert_null(strstr(got.body, "admin"));
    free(good);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(tokens_carry_roles_and_scopes, setup_tokens, teardown),
    cmocka_unit_test_setup_teardown(a_claim_is_found_by_its_path, setup_tokens, teardown),
    cmocka_unit_test_setup_teardown(one_credential_of_a_kind_decides, setup_tokens, teardown),
    cmocka_unit_test_setup_teardown(answers_say_what_to_do_and_not_why, setup_tokens, teardown),
};

ISW_TEST_MAIN(tests)
