/* SPDX-License-Identifier: Apache-2.0 */
/* The worker that the tests of auth send requests to. */
#include "middleware/auth_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* -- A worker ---------------------------------------------------------------------------------- */

static const char *words(isw_context *ctx, const isw_str *list, size_t count)
{
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = isw_context_printf(ctx, "%s%s%.*s", text, i ? "+" : "", (int)list[i].size,
                                  list[i].data);
    return text;
}

/* Says who calls. */
static isw_status whoami(isw_context *ctx)
{
    const isw_principal *who = isw_context_principal(ctx);

    if (!who)
        return isw_http_reply(ctx, 200, "text/plain", "nobody");
    return isw_http_reply(ctx, 200, "text/plain", "%.*s|%.*s|%.*s|%s|%s", (int)who->scheme.size,
                          who->scheme.data, (int)who->subject.size, who->subject.data,
                          (int)who->issuer.size, who->issuer.data,
                          words(ctx, who->roles, who->role_count),
                          words(ctx, who->scopes, who->scope_count));
}

#define META(...) (const isw_property[]){ __VA_ARGS__, { NULL, NULL } }
#define HTTP_FUNCTION(function_name, list)                                                    \
    {                                                                                         \
        .name = function_name, .trigger = ISW_HTTP("GET", NULL), .handler = whoami,           \
        .metadata = list                                                                      \
    }

static const isw_function functions[] = {
    HTTP_FUNCTION("plain", NULL),
    HTTP_FUNCTION("open", META({ "auth_level", "anonymous" })),
    HTTP_FUNCTION("boss", META({ "auth_level", "admin" })),
    HTTP_FUNCTION("staff", META({ "roles", "clerk, manager" })),
    HTTP_FUNCTION("reader", META({ "auth_level", "function" }, { "scopes", "read list" })),
    HTTP_FUNCTION("both", META({ "roles", "clerk" }, { "scopes", "read" })),
    HTTP_FUNCTION("typo", META({ "auth_level", "annonymous" })),
    HTTP_FUNCTION("capital", META({ "auth_level", "Anonymous" })),
    HTTP_FUNCTION("blank", META({ "auth_level", "" })),
    HTTP_FUNCTION("riddle", META({ "auth_level", "anonymous" }, { "roles", "clerk" })),
    HTTP_FUNCTION("locked", META({ "roles", "" })),
    HTTP_FUNCTION("puzzle", META({ "auth_level", "anonymous" }, { "scopes", "read" })),
    HTTP_FUNCTION("orders_list", NULL),
    HTTP_FUNCTION("orders", NULL),
    { .name = "tick", .trigger = ISW_TRIGGER("timer", NULL), .handler = whoami },
    { 0 },
};

isw_status make_worker(fixture *f, const char *yaml, isw_error *error)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;

    make_file(yaml, &f->yaml_path);
    options.config_path = f->yaml_path;
    assert_int_equal(isw_worker_create(&options, &f->worker, error), ISW_OK);
    for (const isw_function *function = functions; function->name; function++)
        assert_int_equal(isw_worker_add_function(f->worker, function, error), ISW_OK);
    assert_int_equal(isw_worker_add_middleware(f->worker, &isw_middleware_auth, error), ISW_OK);
    return isw_worker_configure(f->worker, error);
}

void destroy_worker(fixture *f)
{
    isw_worker_destroy(f->worker);
    unlink(f->yaml_path);
    free(f->yaml_path);
    f->yaml_path = NULL;
}

void must_configure(fixture *f, const char *yaml)
{
    isw_error error = { 0 };

    if (make_worker(f, yaml, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

void configure_jwt(fixture *f, const char *source)
{
    char *yaml;

    assert_true(asprintf(&yaml,
                         "middleware:\n  - error_handling: {log: false}\n  - auth:\n" KEYS
                         "      jwt:\n        issuer: https://issuer.example\n"
                         "        audience: [orders]\n        %s\n",
                         source) > 0);
    must_configure(f, yaml);
    free(yaml);
}

void configure_jwt_file(fixture *f, const char *more)
{
    char *source;
    char *set = key_set((json_t *[]){ public_key(f->key, NULL) }, 1);

    make_file(set, &f->keys_path);
    assert_true(asprintf(&source, "jwks: %s\n        %s", strrchr(f->keys_path, '/') + 1, more) >
                0);
    configure_jwt(f, source);
    free(source);
    free(set);
}

int teardown(void **state)
{
    fixture *f = *state;

    destroy_worker(f);
    if (f->keys_path)
        unlink(f->keys_path);
    free(f->keys_path);
    json_decref(f->key);
    free(f);
    return 0;
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void read_answer(const isw_invocation *done, answer *out)
{
    const isw_http *http;
    const isw_str *challenge;

    memset(out, 0, sizeof *out);
    snprintf(out->reason, sizeof out->reason, "%s", done->failure.message);
    assert_int_equal(done->result.type, ISW_VALUE_HTTP);
    http = done->result.as.http;
    out->status = http->status;
    snprintf(out->body, sizeof out->body, "%.*s", (int)http->body.size,
             (const char *)http->body.data);
    challenge = isw_pairs_find(&http->headers, "www-authenticate");
    if (challenge)
        snprintf(out->challenge, sizeof out->challenge, "%.*s", (int)challenge->size,
                 challenge->data);
    /* An outcome that contradicts the status would be counted wrongly by the host. */
    assert_int_equal(done->outcome == ISW_OUTCOME_SUCCESS, http->status == 200);
}

static isw_pair pair(const char *name, const char *value)
{
    return (isw_pair){ isw_str_of(name), isw_str_of(value) };
}

static answer send_request(fixture *f, const char *function, const isw_pairs *headers,
                           const isw_pairs *query)
{
    const isw_http request = { .method = isw_str_of("GET"),
                               .url = isw_str_of("/api/x"),
                               .headers = *headers,
                               .query = *query };
    const isw_value data = { .type = ISW_VALUE_HTTP, .as.http = &request };
    isw_invocation done;
    isw_error error = { 0 };
    answer out;

    if (isw_worker_invoke(f->worker, function, &data, &done, &error) != ISW_OK)
        fail_msg("%s", error.message);
    read_answer(&done, &out);
    isw_invocation_free(&done);
    return out;
}

static size_t fill_pairs(isw_pair out[2], const char *const *texts)
{
    size_t count = 0;

    for (; count < 2 && texts[2 * count]; count++)
        out[count] = pair(texts[2 * count], texts[2 * count + 1]);
    return count;
}

answer check_request(fixture *f, const request_row *row)
{
    isw_pair headers[2];
    isw_pair query[2];
    const isw_pairs header_list = { headers, fill_pairs(headers, row->headers) };
    const isw_pairs query_list = { query, fill_pairs(query, row->query) };
    const answer got = send_request(f, row->function, &header_list, &query_list);
    const char *text = got.status == 200 ? got.body : got.reason;

    if (got.status != row->status || !strstr(text, row->answer))
        fail_msg("%s: got %d, %s", row->sentence, got.status, text);
    if (got.challenge[0] ? got.status != 401 && got.status != 403 : got.status == 401)
        fail_msg("%s: %d with challenge \"%s\"", row->sentence, got.status, got.challenge);
    return got;
}

char *bearer(const json_t *key, const char *scheme, const char *more)
{
    const char *id = json_string_value(json_object_get(key, "kid"));
    char *header;
    char *claims;
    char *token;
    char *text;

    assert_true(asprintf(&claims,
                         "{\"iss\":\"https://issuer.example\",\"aud\":[\"orders\"],\"exp\":%lld,"
                         "\"sub\":\"ann\"%s%s}",
                         (long long)time(NULL) + 300, *more ? "," : "", more) > 0);
    assert_true(asprintf(&header, "{\"alg\":\"RS256\"%s%s%s}", id ? ",\"kid\":\"" : "",
                         id ? id : "", id ? "\"" : "") > 0);
    token = sign_token("RS256", key, header, claims);
    assert_true(asprintf(&text, "%s%s", scheme, token) > 0);
    free(token);
    free(header);
    free(claims);
    return text;
}

answer check_token(fixture *f, const token_row *row)
{
    char *value = bearer(f->key, row->scheme, row->claims);
    const request_row request = { row->sentence, row->function,
                              row->status,   row->answer,
                              { "authorization", value }, { NULL } };
    const answer got = check_request(f, &request);

    assert_null(strstr(got.reason, strrchr(value, '.')));
    free(value);
    return got;
}
