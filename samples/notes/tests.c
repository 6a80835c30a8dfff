/* SPDX-License-Identifier: Apache-2.0 */
/* The service's own tests, with its chain (worker.yaml) and a database in memory. */
#include "app.h"
#include <isoworker/testing.h>
#include <stdio.h>
#include <string.h>

static isw_test *test;
static int failed;

static void check(const char *what, const isw_test_result *result, int status, const char *text)
{
    bool right = result->http_status == status && strstr(result->body, text);

    printf("%s %s\n", right ? "ok  " : "FAIL", what);
    failed += !right;
}

static const isw_test_result *post(const char *key, const char *json)
{
    if (key)
        isw_test_header(test, "x-functions-key", key);
    isw_test_body(test, "application/json", json, strlen(json));
    return isw_test_http(test, "POST", "/notes");
}

int main(void)
{
    isw_worker *worker = NULL;
    isw_error error = { ISW_OK, "" };

    if (isw_worker_create(NULL, &worker, &error) || isw_worker_add_app(worker, &app, &error) ||
        isw_test_create(worker, &test, &error))
        return fprintf(stderr, "%s\n", error.message), 1;
    check("wants a key", post(NULL, "{\"text\":\"tea\"}"), 401, "");
    check("wants a text", post("open-sesame", "{}"), 400, "body.text");
    check("adds a note", post("open-sesame", "{\"text\":\"tea\"}"), 201, "{\"id\":1,");
    check("lists notes", isw_test_http(test, "GET", "/notes"), 200, "[{\"id\":1,");
    check("gives one", isw_test_http(test, "GET", "/notes/1"), 200, "\"text\":\"tea\"");
    isw_test_header(test, "x-functions-key", "open-sesame");
    check("deletes one", isw_test_http(test, "DELETE", "/notes/1"), 204, "");
    check("has it no more", isw_test_http(test, "GET", "/notes/1"), 404, "no such note");
    isw_test_destroy(test);
    return failed != 0;
}
