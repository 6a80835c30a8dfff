/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens against a fixed clock and a key set in a file. Every row is one attack or one right
 * that must hold; RFC 8725 names most of them. */
#include "middleware/auth_support.h"

#include "../../middleware/auth_jwt.h"

#include <isoworker/isoworker.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOW_S = 1750000000 };
#define ISSUER "\"iss\":\"https://issuer.example\""
#define AUDIENCE "\"aud\":\"orders\""
#define EXPIRES "\"exp\":1750000300"
#define CLAIMS "{" ISSUER "," AUDIENCE "," EXPIRES ",\"sub\":\"ann\"}"
#define RS256 "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}"
#define ES256 "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}"

typedef struct fixture {
    json_t *rsa, *rsa_2, *ec, *stranger, *secret, *nameless;
    char *keys_path;
    const char *audience[2];
    const char *algorithms[3];
    auth_jwt_options options;
    auth_jwt jwt;
} fixture;

static auth_now at(int64_t wall_s)
{
    return (auth_now){ wall_s, 1000000 };
}

static void start_jwt(fixture *f)
{
    isw_error error = { 0 };

    if (auth_jwt_init(&f->jwt, &f->options, at(NOW_S), &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    char *text;

    f->rsa = rsa_key(0, "rsa-1");
    f->rsa_2 = rsa_key(1, "rsa-2");
    f->ec = make_key("ES256", "ec-1");
    f->stranger = rsa_key(2, "rsa-1");
    f->secret = make_key("HS256", "hs-1");
    f->nameless = make_key("ES256", NULL);
    text = key_set((json_t *[]){ public_key(f->rsa, NULL), public_key(f->ec, NULL),
                                 public_key(f->rsa_2, "{\"alg\":\"RS512\"}"),
                                 json_deep_copy(f->secret), public_key(f->nameless, NULL) },
                   5);
    make_file(text, &f->keys_path);
    free(text);
    f->audience[0] = "orders";
    f->audience[1] = "invoices";
    f->algorithms[0] = "RS256";
    f->algorithms[1] = "ES256";
    f->algorithms[2] = "HS256";
    f->options = (auth_jwt_options){
        .issuer = "https://issuer.example",
        .audience = { f->audience, 2 },
        .jwks = f->keys_path,
        .algorithms = { f->algorithms, 2 },
        .clock_skew_ms = 60000,
        .cache_ms = 600000,
        .refresh_ms = 30000,
        .roles_claim = "roles",
        .scopes_claim = "scope",
        .audience_claim = "aud",
    };
    start_jwt(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    auth_jwt_fini(&f->jwt);
    unlink(f->keys_path);
    free(f->keys_path);
    json_decref(f->rsa);
    json_decref(f->rsa_2);
    json_decref(f->ec);
    json_decref(f->stranger);
    json_decref(f->secret);
    json_decref(f->nameless);
    free(f);
    return 0;
}

static void check(fixture *f, const char *sentence, const char *token, size_t size,
                  const char *reason)
{
    isw_error note = { 0 };
    const char *why = NULL;
    json_t *claims = NULL;
    isw_status status =
        auth_jwt_verify(&f->jwt, (isw_str){ token, size }, at(NOW_S), &claims, &why, &note);

    if (reason ? status != ISW_E_UNAUTHENTICATED || !strstr(why, reason) || claims
               : status != ISW_OK || !claims)
        fail_msg("%s: got %s, %s", sentence, isw_status_name(status), why ? why : "no reason");
    json_decref(claims);
}

/* -- Headers, claims and signatures ------------------------------------------------------------ */

typedef struct row {
    const char *sentence;
    const char *reason; /* part of it, or NULL when the token is good */
    const char *header;
    const char *claims;
} row;

/* Rows signed by RS256 with rsa-1, so that only header and claims decide. */
static void check_rows(fixture *f, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *token = sign_token("RS256", f->rsa, rows[i].header, rows[i].claims);

        check(f, rows[i].sentence, token, strlen(token), rows[i].reason);
        free(token);
    }
}

#define ALG(name) "{\"alg\":" name ",\"kid\":\"rsa-1\"}"
#define HEADER(more) "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"," more "}"
#define KID(id) "{\"alg\":\"RS256\",\"kid\":" id "}"

static void headers_do_not_choose_how_they_are_verified(void **state)
{
    static const row rows[] = {
        { "a plain header is good", NULL, RS256, CLAIMS },
        { "alg none is refused", "alg", ALG("\"none\""), CLAIMS },
        { "alg None is refused", "alg", ALG("\"None\""), CLAIMS },
        { "alg nOnE is refused", "alg", ALG("\"nOnE\""), CLAIMS },
        { "an empty alg is refused", "alg", ALG("\"\""), CLAIMS },
        { "alg in another letter case is refused", "alg", ALG("\"rs256\""), CLAIMS },
        { "alg with a space is refused", "alg", ALG("\"RS256 \""), CLAIMS },
        { "a list of alg is refused", "alg", ALG("[\"RS256\"]"), CLAIMS },
        { "alg null is refused", "alg", ALG("null"), CLAIMS },
        { "no alg is refused", "alg", "{\"kid\":\"rsa-1\"}", CLAIMS },
        { "an alg that is not on the list is refused", "alg", ALG("\"RS384\""), CLAIMS },
        { "PS256 is not RS256", "alg", ALG("\"PS256\""), CLAIMS },
        { "HS256 is refused unless listed", "alg", ALG("\"HS256\""), CLAIMS },
        { "ES256 does not fit an RSA key", "no key fits", ALG("\"ES256\""), CLAIMS },
        { "crit is refused", "crit", HEADER("\"crit\":[\"exp\"]"), CLAIMS },
        { "an empty crit is refused", "crit", HEADER("\"crit\":[]"), CLAIMS },
        { "jku is not followed", NULL, HEADER("\"jku\":\"https://evil.example/k\""), CLAIMS },
        { "x5u is not followed", NULL, HEADER("\"x5u\":\"https://evil.example/k\""), CLAIMS },
        { "x5c is not looked at", NULL, HEADER("\"x5c\":[\"AAAA\"],\"x5t\":1"), CLAIMS },
        { "jwk is not looked at", NULL, HEADER("\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}"), CLAIMS },
        { "jwk null is not looked at", NULL, HEADER("\"jwk\":null"), CLAIMS },
        { "typ JWT is good", NULL, HEADER("\"typ\":\"JWT\""), CLAIMS },
        { "typ jwt is good", NULL, HEADER("\"typ\":\"jwt\""), CLAIMS },
        { "typ at+jwt is good", NULL, HEADER("\"typ\":\"at+JWT\""), CLAIMS },
        { "typ application/at+jwt is good", NULL, HEADER("\"typ\":\"application/at+jwt\""),
          CLAIMS },
        { "another typ is refused", "typ", HEADER("\"typ\":\"logout+jwt\""), CLAIMS },
        { "typ that is a number is refused", "typ", HEADER("\"typ\":1"), CLAIMS },
        { "a kid that is not there is refused", "no key fits", KID("\"rsa-9\""), CLAIMS },
        { "a kid is compared in full", "no key fits", KID("\"rsa-\""), CLAIMS },
        { "a kid is no path", "no key fits", KID("\"../../etc/passwd\""), CLAIMS },
        { "a kid is no pattern", "no key fits", KID("\"rsa-?\""), CLAIMS },
        { "a kid is no SQL", "no key fits", KID("\"x' OR '1'='1\""), CLAIMS },
        { "a kid that is a number is refused", "kid", KID("1"), CLAIMS },
        { "an empty kid is not no kid", "no key fits", KID("\"\""), CLAIMS },
        { "without kid a key that fits is found", NULL, "{\"alg\":\"RS256\"}", CLAIMS },
        { "a kid with NUL is refused", "malformed", KID("\"rsa-1\\u0000\""), CLAIMS },
        { "alg twice is refused", "malformed", HEADER("\"alg\":\"none\""), CLAIMS },
        { "a header that is a list is refused", "malformed", "[\"RS256\"]", CLAIMS },
        { "a header that is no JSON is refused", "malformed", "{alg:RS256}", CLAIMS },
        { "text behind the header is refused", "malformed", RS256 "{}", CLAIMS },
        { "a deep header is refused", "malformed",
          HEADER("\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), CLAIMS },
        { "brackets in a text are not depth", NULL, HEADER("\"x\":\"[[[[[[[[[[\\\"[[[[[[[[\""),
          CLAIMS },
    };

    check_rows(*state, rows, sizeof rows / sizeof rows[0]);
}

#define WITH(more) "{" ISSUER "," AUDIENCE "," EXPIRES "," more "}"
#define EXP(value) "{" ISSUER "," AUDIENCE ",\"exp\":" value "}"
#define ISS(value) "{" AUDIENCE "," EXPIRES ",\"iss\":" value "}"
#define AUD(value) "{" ISSUER "," EXPIRES ",\"aud\":" value "}"

static void claims_are_for_us_and_in_time(void **state)
{
    static const row rows[] = {
        { "exp in the future is good", NULL, RS256, CLAIMS },
        { "a fraction in exp is good", NULL, RS256, EXP("1750000300.5") },
        { "exp a minute ago is within the skew", NULL, RS256, EXP("1749999941") },
        { "exp at the end of the skew is refused", "expired", RS256, EXP("1749999940") },
        { "exp long ago is refused", "expired", RS256, EXP("1") },
        { "a negative exp is refused", "expired", RS256, EXP("-9223372036854775808") },
        { "no exp is refused", "exp", RS256, "{" ISSUER "," AUDIENCE "}" },
        { "exp as text is refused", "exp", RS256, EXP("\"1750000300\"") },
        { "exp true is refused", "exp", RS256, EXP("true") },
        { "exp null is refused", "exp", RS256, EXP("null") },
        { "exp beyond 64 bits is refused", "malformed", RS256, EXP("99999999999999999999") },
        { "exp beyond a double is refused", "malformed", RS256, EXP("1e999") },
        { "a huge real exp is refused", "no exp", RS256, EXP("1e30") },
        { "the largest exp is far ahead", NULL, RS256, EXP("9223372036854775807") },
        { "nbf in the past is good", NULL, RS256, WITH("\"nbf\":1749999000") },
        { "nbf within the skew is good", NULL, RS256, WITH("\"nbf\":1750000060") },
        { "nbf beyond the skew is refused", "not valid yet", RS256, WITH("\"nbf\":1750000061") },
        { "nbf as text is refused", "nbf", RS256, WITH("\"nbf\":\"0\"") },
        { "the largest nbf is refused", "yet", RS256, WITH("\"nbf\":9223372036854775807") },
        { "iat in the past is good", NULL, RS256, WITH("\"iat\":1749999000") },
        { "iat within the skew is good", NULL, RS256, WITH("\"iat\":1750000060") },
        { "iat in the future is refused", "future", RS256, WITH("\"iat\":1750000061") },
        { "iat as a list is refused", "iat", RS256, WITH("\"iat\":[1]") },
        { "another issuer is refused", "issuer", RS256, ISS("\"https://evil.example\"") },
        { "the issuer with a slash is another", "issuer", RS256,
          ISS("\"https://issuer.example/\"") },
        { "an issuer in capitals is another", "issuer", RS256, ISS("\"HTTPS://issuer.example\"") },
        { "a list of issuers is refused", "issuer", RS256, ISS("[\"https://issuer.example\"]") },
        { "no issuer is refused", "issuer", RS256, "{" AUDIENCE "," EXPIRES "}" },
        { "our second audience is good", NULL, RS256, AUD("\"invoices\"") },
        { "one of several audiences is good", NULL, RS256, AUD("[\"x\",\"orders\"]") },
        { "another audience is refused", "audience", RS256, AUD("\"order\"") },
        { "other audiences are refused", "audience", RS256, AUD("[\"order\",\"orders2\"]") },
        { "a list in a list is no audience", "audience", RS256, AUD("[[\"orders\"]]") },
        { "an object is no audience", "audience", RS256, AUD("{\"orders\":\"orders\"}") },
        { "an empty list of audiences is refused", "audience", RS256, AUD("[]") },
        { "no audience is refused", "audience", RS256, "{" ISSUER "," EXPIRES "}" },
        { "sub that is a number is refused", "sub", RS256, WITH("\"sub\":1") },
        { "no sub is good", NULL, RS256, "{" ISSUER "," AUDIENCE "," EXPIRES "}" },
        { "exp twice is refused", "malformed", RS256, WITH("\"exp\":9999999999") },
        { "iss twice is refused", "malformed", RS256, WITH(ISSUER) },
        { "a name written twice in two ways is refused", "malformed", RS256,
          WITH("\"\\u0069ss\":\"https://issuer.example\"") },
        { "claims that are a list are refused", "malformed", RS256, "[" CLAIMS "]" },
        { "claims that are no JSON are refused", "malformed", RS256, "ok" },
        { "claims that are not UTF-8 are refused", "malformed", RS256, WITH("\"x\":\"\xff\"") },
    };

    check_rows(*state, rows, sizeof rows / sizeof rows[0]);
}

/* Cognito's access tokens have client_id and no aud. */
static void the_audience_may_stand_in_another_claim(void **state)
{
    static const row rows[] = {
        { "the named claim counts", NULL, RS256,
          "{" ISSUER "," EXPIRES ",\"client_id\":\"orders\"}" },
        { "a list counts, too", NULL, RS256,
          "{" ISSUER "," EXPIRES ",\"client_id\":[\"x\",\"orders\"]}" },
        { "another client is refused", "audience", RS256,
          "{" ISSUER "," EXPIRES ",\"client_id\":\"order\"}" },
        { "aud does not count then", "audience", RS256, CLAIMS },
        { "aud does not count beside it", "audience", RS256, WITH("\"client_id\":\"x\"") },
    };
    fixture *f = *state;

    auth_jwt_fini(&f->jwt);
    f->options.audience_claim = "client_id";
    start_jwt(f);
    check_rows(f, rows, sizeof rows / sizeof rows[0]);
}

static void check_signed(fixture *f, const char *sentence, const char *algorithm, const json_t *key,
                         const char *header, const char *reason)
{
    char *token = sign_token(algorithm, key, header, CLAIMS);

    check(f, sentence, token, strlen(token), reason);
    free(token);
}

static void only_the_issuers_keys_sign(void **state)
{
    fixture *f = *state;
    json_t *jwk = public_key(f->stranger, NULL);
    char *embedded = json_dumps(jwk, JSON_COMPACT);
    char *header;

    assert_true(asprintf(&header, HEADER("\"jwk\":%s"), embedded) > 0);
    check_signed(f, "RS256 by the right key is good", "RS256", f->rsa, RS256, NULL);
    check_signed(f, "ES256 by the right key is good", "ES256", f->ec, ES256, NULL);
    check_signed(f, "a stranger with our kid is refused", "RS256", f->stranger, RS256,
                 "does not hold");
    check_signed(f, "a stranger without kid is refused", "RS256", f->stranger,
                 "{\"alg\":\"RS256\"}", "does not hold");
    check_signed(f, "a key that came with the token does not count", "RS256", f->stranger, header,
                 "does not hold");
    check_signed(f, "another key of the issuer than the kid's is refused", "RS256", f->rsa_2, RS256,
                 "does not hold");
    check_signed(f, "a key without kid is found without kid", "ES256", f->nameless,
                 "{\"alg\":\"ES256\"}", NULL);
    check_signed(f, "a key without kid is not that of a kid", "ES256", f->nameless,
                 "{\"alg\":\"ES256\",\"kid\":\"ec-9\"}", "no key fits");
    check_signed(f, "a key whose own alg is another is refused", "RS256", f->rsa_2,
                 "{\"alg\":\"RS256\",\"kid\":\"rsa-2\"}", "no key fits");
    check_signed(f, "the secret of the set signs nothing while HS256 is not listed", "HS256",
                 f->secret, "{\"alg\":\"HS256\",\"kid\":\"hs-1\"}", "alg");
    free(header);
    free(embedded);
    json_decref(jwk);
}

/* The well-known confusion: a public key's bytes as the secret of an HMAC. */
static void a_public_key_is_no_secret(void **state)
{
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"rsa-1\"}";
    static const char no_kid[] = "{\"alg\":\"HS256\"}";
    fixture *f = *state;
    json_t *public_jwk = public_key(f->rsa, NULL);
    char *pem = public_pem(f->rsa);
    char *text = json_dumps(public_jwk, 0);
    const char *modulus = json_string_value(json_object_get(public_jwk, "n"));
    json_t *secrets[] = { secret_key(pem, strlen(pem)), secret_key(pem, strlen(pem) - 1),
                          secret_key(text, strlen(text)), secret_key(modulus, strlen(modulus)),
                          secret_key("", 0) };

    auth_jwt_fini(&f->jwt);
    f->options.algorithms.count = 3;
    start_jwt(f);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        check_signed(f, "HS256 by public bytes does not fit the RSA key", "HS256", secrets[i],
                     header, "no key fits");
        check_signed(f, "HS256 by public bytes without kid does not hold", "HS256", secrets[i],
                     no_kid, "does not hold");
        json_decref(secrets[i]);
    }
    check_signed(f, "HS256 by the secret is good once it is listed", "HS256", f->secret,
                 "{\"alg\":\"HS256\",\"kid\":\"hs-1\"}", NULL);
    free(text);
    free(pem);
    json_decref(public_jwk);
}

/* -- The text of a token ----------------------------------------------------------------------- */

typedef struct mangled {
    const char *sentence;
    const char *reason;
    const char *format; /* of header, payload, signature */
} mangled;

static void check_text(fixture *f, const mangled *m, char *const *parts)
{
    char *token;
    int size = asprintf(&token, m->format, parts[0], parts[1], parts[2]);

    assert_true(size >= 0);
    check(f, m->sentence, token, (size_t)size, m->reason);
    free(token);
}

static void a_token_is_three_parts_of_strict_base64url(void **state)
{
    static const mangled rows[] = {
        { "three parts are good", NULL, "%s.%s.%s" },
        { "no signature is refused", "compact", "%s.%s." },
        { "no signature and no dot is refused", "compact", "%s.%s" },
        { "a dot is missing", "compact", "%s.%s%s" },
        { "a fourth part is refused", "compact", "%s.%s.%s.e30" },
        { "an empty fourth part is refused", "compact", "%s.%s.%s." },
        { "five parts are refused", "compact", "%1$s.%2$s.%3$s.%3$s.%3$s" },
        { "an empty first part is refused", "compact", ".%s.%s.%s" },
        { "no payload is refused", "compact", "%1$s..%3$s" },
        { "no header is refused", "compact", ".%2$s.%3$s" },
        { "two dots are refused", "compact", ".." },
        { "nothing is refused", "compact", "" },
        { "padding behind is refused", "compact", "%s.%s.%s==" },
        { "padding in the header is refused", "compact", "%s=.%s.%s" },
        { "padding in the payload is refused", "compact", "%s.%s=.%s" },
        { "white space behind is refused", "compact", "%s.%s.%s " },
        { "white space before is refused", "compact", " %s.%s.%s" },
        { "a line break is refused", "compact", "%s.%s.\n%s" },
        { "a tab is refused", "compact", "%s.\t%s.%s" },
        { "a plus is refused", "compact", "%s.%s.+%s" },
        { "a slash is refused", "compact", "%s.%s./%s" },
        { "a byte beyond ASCII is refused", "compact", "%s.%s.\xc3\xa9%s" },
        { "an extra digit of the signature is refused", "", "%s.%s.%sA" },
        { "the payload as signature is refused", "does not hold", "%1$s.%2$s.%2$s" },
        { "the token in quotes is refused", "compact", "\"%s.%s.%s\"" },
        { "two tokens are refused", "compact", "%1$s.%2$s.%3$s, %1$s.%2$s.%3$s" },
    };
    fixture *f = *state;
    char *token = sign_token("RS256", f->rsa, RS256, CLAIMS);
    char *rest = token;
    char *parts[3];

    for (int i = 0; i < 3; i++)
        parts[i] = strsep(&rest, ".");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_text(f, &rows[i], parts);
    free(token);
}

/* The last digit of a signature has `unused` values too many. */
static void check_last_digit(fixture *f, char *token, size_t unused)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t size = strlen(token);
    char *last = &token[size - 1];
    const size_t value = (size_t)(strchr(digits, *last) - digits);

    check(f, "the token as it was signed is good", token, size, NULL);
    for (size_t i = 1; i <= unused; i++) {
        *last = digits[value + i];
        check(f, "bits beyond the signature are refused", token, size, "compact");
    }
    free(token);
}

static void no_two_texts_are_the_same_token(void **state)
{
    fixture *f = *state;

    auth_jwt_fini(&f->jwt);
    f->options.algorithms.count = 3;
    start_jwt(f);
    check_last_digit(f, sign_token("RS256", f->rsa, RS256, CLAIMS), 15);
    check_last_digit(f, sign_token("ES256", f->ec, ES256, CLAIMS), 15);
    check_last_digit(f, sign_token("HS256", f->secret, "{\"alg\":\"HS256\"}", CLAIMS), 3);
}

static void every_changed_character_is_refused(void **state)
{
    fixture *f = *state;
    char *token = sign_token("ES256", f->ec, ES256, CLAIMS);
    const size_t size = strlen(token);

    for (size_t i = 0; i < size; i++) {
        const char was = token[i];

        token[i] = was == 'A' ? 'B' : 'A';
        check(f, "a token that was tampered with is refused", token, size, "");
        token[i] = was;
    }
    for (size_t i = 0; i < size; i++)
        check(f, "a token that was cut is refused", token, i, "");
    token[size / 2] = '\0';
    check(f, "a token with NUL in it is refused", token, size, "compact");
    free(token);
}

static void forged_elliptic_signatures_are_refused(void **state)
{
    fixture *f = *state;
    unsigned char bytes[72] = { 0 };
    static const size_t sizes[] = { 1, 32, 63, 64, 65, 72 };
    char *token = sign_token("ES256", f->ec, ES256, CLAIMS);
    char *forged;
    char *signature;

    *(strrchr(token, '.')) = '\0';
    for (size_t i = 0; i < 2 * (sizeof sizes / sizeof sizes[0]); i++) {
        memset(bytes, i % 2 ? 0xff : 0, sizeof bytes);
        signature = base64url(bytes, sizes[i / 2]);
        assert_true(asprintf(&forged, "%s.%s", token, signature) > 0);
        check(f, "r and s of all zeros or ones are refused", forged, strlen(forged),
              "does not hold");
        free(forged);
        free(signature);
    }
    free(token);
}

static void an_overlong_token_is_refused_unread(void **state)
{
    fixture *f = *state;
    char *long_claims;
    char *token;

    assert_true(asprintf(&long_claims, WITH("\"x\":\"%0*d\""), 11000, 0) > 0);
    token = sign_token("RS256", f->rsa, RS256, long_claims);
    assert_true(strlen(token) < AUTH_TOKEN_MAX_BYTES);
    check(f, "a long token is good", token, strlen(token), NULL);
    free(token);
    free(long_claims);
    assert_true(asprintf(&long_claims, WITH("\"x\":\"%0*d\""), 12200, 0) > 0);
    token = sign_token("RS256", f->rsa, RS256, long_claims);
    check(f, "a token above 16 KiB is refused", token, strlen(token), "16 KiB");
    free(token);
    free(long_claims);
}

/* -- Start ------------------------------------------------------------------------------------- */

static void check_start(fixture *f, const char *message)
{
    isw_error error = { 0 };
    auth_jwt jwt = { 0 };

    assert_int_equal(auth_jwt_init(&jwt, &f->options, at(NOW_S), &error), ISW_E_CONFIG);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" does not say \"%s\"", error.message, message);
    auth_jwt_fini(&jwt);
}

static void wrong_options_do_not_start(void **state)
{
    fixture *f = *state;
    const auth_jwt_options good = f->options;

    f->options.jwks = "/nowhere/keys.json";
    check_start(f, "cannot open /nowhere/keys.json");
    f->options.jwks = NULL;
    check_start(f, "one of jwks");
    f->options.jwks_url = "http://issuer.example/keys";
    check_start(f, "no https URL");
    f->options = good;
    f->options.jwks_url = "https://issuer.example/keys";
    check_start(f, "one of jwks");
    f->options = good;
    f->options.audience.count = 0;
    check_start(f, "must not be empty");
    f->options = good;
    f->options.issuer = "";
    check_start(f, "must not be empty");
    f->options = good;
    f->options.algorithms.count = 0;
    check_start(f, "must not be empty");
    f->options = good;
    f->algorithms[1] = "none";
    check_start(f, "\"none\"");
    f->algorithms[1] = "EdDSA";
    check_start(f, "\"EdDSA\"");
    f->options = good;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(headers_do_not_choose_how_they_are_verified, setup, teardown),
    cmocka_unit_test_setup_teardown(claims_are_for_us_and_in_time, setup, teardown),
    cmocka_unit_test_setup_teardown(the_audience_may_stand_in_another_claim, setup, teardown),
    cmocka_unit_test_setup_teardown(only_the_issuers_keys_sign, setup, teardown),
    cmocka_unit_test_setup_teardown(a_public_key_is_no_secret, setup, teardown),
    cmocka_unit_test_setup_teardown(a_token_is_three_parts_of_strict_base64url, setup, teardown),
    cmocka_unit_test_setup_teardown(no_two_texts_are_the_same_token, setup, teardown),
    cmocka_unit_test_setup_teardown(every_changed_character_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(forged_elliptic_signatures_are_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(an_overlong_token_is_refused_unread, setup, teardown),
    cmocka_unit_test_setup_teardown(wrong_options_do_not_start, setup, teardown),
};

ISW_TEST_MAIN(tests)
