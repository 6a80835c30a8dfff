/* SPDX-License-Identifier: Apache-2.0 */
/* A tour of values: what a function may be given and may give back, for hosts to carry. */
#include <isoworker/isoworker.h>

#include <stdlib.h>
#include <string.h>

/* -- Results ----------------------------------------------------------------------------------- */

static const isw_value *member(isw_context *ctx, isw_value value)
{
    isw_value *copy = isw_context_alloc(ctx, sizeof *copy);

    if (copy)
        *copy = value;
    return copy;
}

static isw_value of_all(isw_context *ctx)
{
    const isw_named_value items[] = {
        isw_named("text", isw_value_string("Gr\xc3\xbc\xc3\x9f" "e \xe2\x82\xac")),
        isw_named("int", isw_value_int(INT64_MIN)),
        isw_named("real", isw_value_double(0.1)),
        isw_named("yes", isw_value_bool(true)),
        isw_named("nothing", isw_value_none()),
        isw_named("list", isw_value_array(member(ctx, isw_value_int(7)), 1)),
    };
    isw_named_value *copy = isw_context_alloc(ctx, sizeof items);

    return copy ? isw_value_map(memcpy(copy, items, sizeof items),
                                sizeof items / sizeof items[0])
                : isw_value_none();
}

/* GET values/{kind} */
static isw_status value(isw_context *ctx)
{
    const char *kind = isw_http_param(ctx, "kind");
    isw_value result = isw_value_none();

    if (strcmp(kind, "string") == 0)
        result = isw_value_string("Gr\xc3\xbc\xc3\x9f" "e");
    else if (strcmp(kind, "empty") == 0)
        result = isw_value_string("");
    else if (strcmp(kind, "json") == 0)
        result = isw_value_json("{\"a\":[1,2.5,null,true,\"\\u20ac\"]}");
    else if (strcmp(kind, "bytes") == 0)
        result = isw_value_bytes("\0\1\xfe\xff", 4);
    else if (strcmp(kind, "int") == 0)
        result = isw_value_int(INT64_MAX);
    else if (strcmp(kind, "double") == 0)
        result = isw_value_double(-2.5);
    else if (strcmp(kind, "bool") == 0)
        result = isw_value_bool(true);
    else if (strcmp(kind, "map") == 0)
        result = of_all(ctx);
    return isw_context_set_result(ctx, &result);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void put_pairs(isw_context *ctx, isw_named_value *out, const char *name,
                      const isw_pairs *pairs, const char *only)
{
    isw_value *items = isw_context_alloc(ctx, (2 * pairs->count + 1) * sizeof *items);
    const isw_pair *pair;
    size_t count = 0;
    size_t at = 0;

    while (items && (pair = isw_pairs_next(pairs, NULL, &at)) != NULL)
        if (pair->name.size >= strlen(only) && memcmp(pair->name.data, only, strlen(only)) == 0) {
            items[count++] = isw_value_text(pair->name);
            items[count++] = isw_value_text(pair->value);
        }
    *out = isw_named(name, isw_value_array(items, count));
}

/* Any method, request/{rest}: what came, but for what hosts add on the way. */
static isw_status request(isw_context *ctx)
{
    const isw_http *http = isw_http_request(ctx);
    isw_named_value said[6];
    isw_value all;

    said[0] = isw_named("method", isw_value_text(http->method));
    put_pairs(ctx, &said[1], "params", &http->params, "");
    put_pairs(ctx, &said[2], "query", &http->query, "");
    put_pairs(ctx, &said[3], "headers", &http->headers, "x-given");
    said[4] = isw_named("cookie", isw_value_string(isw_http_cookie(ctx, "flavour")));
    said[5] = isw_named("body", isw_value_text((isw_str){ http->body.data, http->body.size }));
    all = isw_value_map(said, 6);
    return isw_http_reply_json(ctx, 200, &all);
}

/* POST bytes: whatever they are. */
static isw_status bytes(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return isw_http_reply_bytes(ctx, 200, "application/octet-stream", body.data, body.size);
}

/* -- Replies ----------------------------------------------------------------------------------- */

/* GET statuses/{status} */
static isw_status status(isw_context *ctx)
{
    int code = atoi(isw_http_param(ctx, "status"));

    return code == 204 || code == 304 ? isw_http_reply_bytes(ctx, code, NULL, NULL, 0)
                                      : isw_http_reply(ctx, code, "text/plain", "%d\n", code);
}

/* GET headers */
static isw_status headers(isw_context *ctx)
{
    const isw_cookie first = { .name = "a", .value = "1", .path = "/", .http_only = true,
                               .same_site = ISW_SAME_SITE_LAX };
    const isw_cookie second = { .name = "b", .value = "2", .max_age_s = 60, .secure = true };

    if (isw_http_set_cookie(ctx, &first) || isw_http_set_cookie(ctx, &second) ||
        isw_http_set_header(ctx, "x-one", "1, 2; \"three\"") ||
        isw_http_add_header(ctx, "x-many", "first") || isw_http_add_header(ctx, "x-many", "second"))
        return ISW_E_FAILED;
    return isw_http_reply(ctx, 200, "text/html; charset=utf-8", "<p>&euro;</p>");
}

/* GET stream: piece by piece. */
static isw_status stream(isw_context *ctx)
{
    isw_status began = isw_http_begin(ctx, 200, "text/plain");

    for (int i = 0; i < 100 && began == ISW_OK; i++)
        began = isw_http_printf(ctx, "piece %d\n", i);
    return began;
}

/* GET failures/{how} */
static isw_status failure(isw_context *ctx)
{
    const char *how = isw_http_param(ctx, "how");

    if (strcmp(how, "invalid") == 0)
        return isw_fail(ctx, ISW_E_INVALID, "it is \"wrong\"");
    if (strcmp(how, "absent") == 0)
        return isw_fail(ctx, ISW_E_NOT_FOUND, "there is none");
    if (strcmp(how, "later") == 0) {
        isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 3000);
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "not now");
    }
    if (strcmp(how, "crash") == 0)
        abort();
    return isw_fail(ctx, ISW_E_FAILED, "it failed");
}

/* -- Other triggers ---------------------------------------------------------------------------- */

/* Messages of the queue "taken"; what each says is put into "made", but for one that cannot be. */
static isw_status message(isw_context *ctx)
{
    const isw_value *body = isw_context_trigger(ctx);
    isw_bytes text = isw_value_payload(body);

    if (text.size == 4 && memcmp(text.data, "fail", 4) == 0)
        return isw_fail(ctx, ISW_E_INVALID, "it cannot be done");
    return isw_context_set_output(ctx, "made", body);
}

static isw_status tick(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "it is time");
    return ISW_OK;
}

static const isw_property to_made[] = { { "queue", "made" }, { 0 } };
static const isw_binding made[] = { { "made", "queue", ISW_OUT, to_made }, { 0 } };

static const isw_function functions[] = {
    { .name = "value", .trigger = ISW_HTTP("GET", "values/{kind}"), .handler = value },
    { .name = "request", .trigger = ISW_HTTP("", "request/{rest}"), .handler = request },
    { .name = "bytes", .trigger = ISW_HTTP("POST", "bytes"), .handler = bytes },
    { .name = "status", .trigger = ISW_HTTP("GET", "statuses/{status}"), .handler = status },
    { .name = "headers", .trigger = ISW_HTTP("GET", "headers"), .handler = headers },
    { .name = "stream", .trigger = ISW_HTTP("GET", "stream"), .handler = stream },
    { .name = "failure", .trigger = ISW_HTTP("GET", "failures/{how}"), .handler = failure },
    { .name = "message", .trigger = ISW_QUEUE("taken"), .handler = message, .bindings = made },
    { .name = "tick", .trigger = ISW_TIMER("0 0 3 1 1 *"), .handler = tick },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
