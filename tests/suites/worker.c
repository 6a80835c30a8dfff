/* SPDX-License-Identifier: Apache-2.0 */
/* The worker that suites of others are run against: each function is what some suite asks its
 * subject to have. */
#include <isoworker/isoworker.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Bodies, read and written again ------------------------------------------------------------ */

static isw_status echo(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return isw_http_reply_bytes(ctx, 200, isw_http_header(ctx, "content-type"), body.data,
                                body.size);
}

static isw_str text_of_body(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return (isw_str){ (const char *)body.data, body.size };
}

static isw_status json(isw_context *ctx)
{
    isw_value value;
    isw_status status = isw_json_parse(ctx, text_of_body(ctx), &value);

    return status == ISW_OK ? isw_http_reply_json(ctx, 200, &value) : status;
}

/* {"value": what was read, "again": the same in MessagePack} */
static isw_status msgpack(isw_context *ctx)
{
    isw_value value;
    isw_bytes again;
    isw_status status = isw_msgpack_parse(ctx, isw_http_body(ctx), &value);

    if (status == ISW_OK)
        status = isw_msgpack_write(ctx, &value, &again);
    if (status != ISW_OK)
        return status;
    const isw_named_value both[] = {
        { isw_str_of("value"), value },
        { isw_str_of("again"), isw_value_bytes(again.data, again.size) },
    };
    isw_value map = isw_value_map(both, 2);
    return isw_http_reply_json(ctx, 200, &map);
}

/* -- Forms ------------------------------------------------------------------------------------- */

static isw_value bytes_of(isw_str text)
{
    return text.data ? isw_value_bytes(text.data, text.size) : isw_value_none();
}

static isw_status reply_list(isw_context *ctx, const isw_value *items, size_t count)
{
    isw_value list = isw_value_array(items, count);

    return isw_http_reply_json(ctx, 200, &list);
}

/* Texts as bytes, so that those which are not UTF-8 come through as they are. */
static isw_value describe_part(const isw_part *part, isw_named_value members[4])
{
    members[0] = (isw_named_value){ isw_str_of("name"), bytes_of(part->name) };
    members[1] = (isw_named_value){ isw_str_of("filename"), bytes_of(part->filename) };
    members[2] = (isw_named_value){ isw_str_of("type"), bytes_of(part->content_type) };
    members[3] =
        (isw_named_value){ isw_str_of("data"), isw_value_bytes(part->data.data, part->data.size) };
    return isw_value_map(members, 4);
}

static isw_status multipart(isw_context *ctx)
{
    const isw_part *parts;
    size_t count;
    isw_status status = isw_multipart_read(ctx, &parts, &count);

    if (status != ISW_OK)
        return status;
    isw_value *items = isw_context_alloc(ctx, (count + 1) * sizeof *items);
    isw_named_value *members = isw_context_alloc(ctx, (count + 1) * 4 * sizeof *members);
    if (!items || !members)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = describe_part(&parts[i], members + 4 * i);
    return reply_list(ctx, items, count);
}

static isw_status urlencoded(isw_context *ctx)
{
    const isw_pairs *fields;
    isw_status status = isw_form_read(ctx, &fields);

    if (status != ISW_OK)
        return status;
    isw_value *texts = isw_context_alloc(ctx, (2 * fields->count + 1) * sizeof *texts);
    if (!texts)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < fields->count; i++) {
        texts[2 * i] = bytes_of(fields->items[i].name);
        texts[2 * i + 1] = bytes_of(fields->items[i].value);
    }
    return reply_list(ctx, texts, 2 * fields->count);
}

/* -- Calling out, with the trace that the caller began ----------------------------------------- */

static struct curl_slist *add_header(struct curl_slist *list, isw_context *ctx, const char *name,
                                     isw_str value)
{
    const char *line = isw_context_printf(ctx, "%s: %.*s", name, (int)value.size, value.data);
    struct curl_slist *longer = line ? curl_slist_append(list, line) : NULL;

    return longer ? longer : list;
}

static size_t drop(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes, (void)user;
    return size * count;
}

static isw_status post(isw_context *ctx, const char *url, isw_str body)
{
    isw_str state = isw_context_trace(ctx)->state;
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    unsigned span = isw_span_begin(ctx, url); /* a parent of its own for each call */
    CURLcode code = CURLE_FAILED_INIT;

    if (!curl)
        return isw_fail(ctx, ISW_E_NO_MEMORY, "no memory");
    headers = add_header(headers, ctx, "content-type", isw_str_of("application/json"));
    headers = add_header(headers, ctx, "traceparent", isw_str_of(isw_context_traceparent(ctx)));
    if (state.size)
        headers = add_header(headers, ctx, "tracestate", state);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.size);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    isw_span_end(ctx, span, (code = curl_easy_perform(curl)) == CURLE_OK ? ISW_OK : ISW_E_IO);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return isw_fail(ctx, ISW_E_IO, "%s: %s", url, curl_easy_strerror(code));
    return ISW_OK;
}

static isw_status post_step(isw_context *ctx, const isw_value *step)
{
    const isw_value *url = isw_value_get(step, "url");
    const isw_value *arguments = isw_value_get(step, "arguments");
    isw_str body = { "[]", 2 };
    isw_status status = ISW_OK;

    if (!url || url->type != ISW_VALUE_STRING)
        return isw_fail(ctx, ISW_E_INVALID, "a step has no url");
    if (arguments)
        status = isw_json_write(ctx, arguments, &body);
    if (status != ISW_OK)
        return status;
    return post(ctx, isw_context_printf(ctx, "%.*s", (int)url->as.string.size, url->as.string.data),
                body);
}

/* A list of {"url", "arguments"}: each is to be posted to the other, in order. */
static isw_status call_out(isw_context *ctx)
{
    isw_value list;
    isw_status status = isw_json_parse(ctx, text_of_body(ctx), &list);

    if (status == ISW_OK && list.type != ISW_VALUE_ARRAY)
        status = isw_fail(ctx, ISW_E_INVALID, "a list is to come");
    for (size_t i = 0; status == ISW_OK && i < list.as.array.count; i++)
        status = post_step(ctx, &list.as.array.items[i]);
    return status == ISW_OK ? isw_http_reply(ctx, 200, "application/json", "[]") : status;
}

/* -- Answers of every shape -------------------------------------------------------------------- */

static isw_status text(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain; charset=utf-8", "%s\n",
                          isw_context_printf(ctx, "%0200d", 7));
}

static isw_status nothing(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static isw_status file(isw_context *ctx)
{
    isw_file_options options = ISW_FILE_OPTIONS_INIT;

    options.root = getenv("ISW_SUITES_FILES");
    return isw_http_reply_file(ctx, isw_http_param(ctx, "path"), &options);
}

static isw_status redirect(isw_context *ctx)
{
    return isw_http_redirect(ctx, 303, "/text");
}

static isw_status cookie(isw_context *ctx)
{
    isw_http_set_header(ctx, "cache-control", "no-store");
    isw_http_set_cookie(ctx, &(isw_cookie){ .name = "session",
                                            .value = "a1",
                                            .path = "/",
                                            .max_age_s = 60,
                                            .same_site = ISW_SAME_SITE_LAX,
                                            .http_only = true });
    return isw_http_reply(ctx, 200, "text/plain", "set\n");
}

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, (isw_status)atoi(isw_http_param(ctx, "status")), "as it was asked to");
}

static isw_status pieces(isw_context *ctx)
{
    isw_status status = isw_http_begin(ctx, 200, "text/plain");

    for (int i = 0; status == ISW_OK && i < 3; i++)
        status = isw_http_printf(ctx, "piece %d\n", i);
    return status;
}

static isw_status events(isw_context *ctx)
{
    isw_status status = ISW_OK;

    for (int i = 0; status == ISW_OK && i < 3; i++)
        status = isw_http_event(ctx, &(isw_event){ .event = "tick", .data = "one\ntwo" });
    return status;
}

/* -- Metrics ----------------------------------------------------------------------------------- */

static const char *query_or(isw_context *ctx, const char *name, const char *otherwise)
{
    const char *text = isw_http_query(ctx, name);

    return text ? text : otherwise;
}

/* ?name=&type=counter|gauge|histogram&labels=a,b&value=&amount=: whatever the caller likes to
 * measure, sound or not; each label has the value. */
static isw_status measure(isw_context *ctx)
{
    static const double bounds[] = { 0.001, 0.25, 1, 1000000 };
    const char *type = query_or(ctx, "type", "counter");
    const char *value = query_or(ctx, "value", "");
    double amount = strtod(query_or(ctx, "amount", "1"), NULL);
    char *labels = isw_context_printf(ctx, "%s", query_or(ctx, "labels", ""));
    char *rest = NULL;
    isw_metric metric = { .name = query_or(ctx, "name", ""),
                          .help = "Back\\slash, \"quotes\" and a\nline.",
                          .bounds = bounds,
                          .bound_count = 4 };
    size_t count = 0;

    for (char *label = strtok_r(labels, ",", &rest); label && count < ISW_METRIC_LABELS_MAX;
         label = strtok_r(NULL, ",", &rest))
        metric.labels[count++] = label;
    metric.type = strcmp(type, "gauge") == 0       ? ISW_GAUGE
                  : strcmp(type, "histogram") == 0 ? ISW_HISTOGRAM
                                                   : ISW_COUNTER;
    isw_series *series =
        isw_metric_series(isw_context_metrics(ctx), &metric, value, value, value, NULL);
    if (metric.type == ISW_HISTOGRAM)
        isw_series_observe(series, amount);
    else
        isw_series_add(series, amount);
    return isw_http_reply(ctx, 200, "text/plain", "measured\n");
}

static const isw_function functions[] = {
    { .name = "root", .trigger = ISW_HTTP(NULL, ""), .handler = echo },
    { .name = "anything", .trigger = ISW_HTTP(NULL, "{*path}"), .handler = echo },
    { .name = "json", .trigger = ISW_HTTP("POST", "json"), .handler = json },
    { .name = "msgpack", .trigger = ISW_HTTP("POST", "msgpack"), .handler = msgpack },
    { .name = "multipart", .trigger = ISW_HTTP("POST", "upload"), .handler = multipart },
    { .name = "urlencoded", .trigger = ISW_HTTP("POST", "form"), .handler = urlencoded },
    { .name = "call_out", .trigger = ISW_HTTP("POST", "call_out"), .handler = call_out },
    { .name = "text", .trigger = ISW_HTTP("GET HEAD", "text"), .handler = text },
    { .name = "nothing", .trigger = ISW_HTTP(NULL, "nothing"), .handler = nothing },
    { .name = "file", .trigger = ISW_HTTP("GET HEAD", "file/{*path}"), .handler = file },
    { .name = "redirect", .trigger = ISW_HTTP("GET HEAD POST", "redirect"), .handler = redirect },
    { .name = "cookie", .trigger = ISW_HTTP("GET HEAD", "cookie"), .handler = cookie },
    { .name = "fails", .trigger = ISW_HTTP("GET HEAD", "fails/{status}"), .handler = fails },
    { .name = "pieces",
      .trigger = ISW_HTTP("GET HEAD", "pieces"),
      .handler = pieces,
      .streams = true },
    { .name = "events",
      .trigger = ISW_HTTP("GET HEAD", "events"),
      .handler = events,
      .streams = true },
    { .name = "measure", .trigger = ISW_HTTP("GET", "measure"), .handler = measure },
    { 0 },
};

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before there are threads */
    return isw_main(argc, argv, functions);
}
