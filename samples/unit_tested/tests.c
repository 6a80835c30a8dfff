/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include <isoworker/testing.h>
#include <stdio.h>
#include <string.h>

static int failed;

static void check(bool right, const char *what)
{
    printf("%s %s\n", right ? "ok  " : "FAIL", what);
    failed += !right;
}

static int eight = 8;
static const isw_service early = { .name = "hour", .type = "int", .create = isw_service_user,
                                   .user = &eight };

int main(void)
{
    const isw_test_result *result;
    isw_worker *worker = NULL;
    isw_test *test = NULL;
    isw_error error = { ISW_OK, "" };

    if (isw_worker_create(NULL, &worker, &error) != ISW_OK ||
        isw_worker_add_app(worker, &app, &error) != ISW_OK ||
        isw_worker_replace_service(worker, &early, &error) != ISW_OK ||
        isw_test_create(worker, &test, &error) != ISW_OK) { /* reads worker.yaml, as the program */
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    result = isw_test_http(test, "GET", "/greet/Ada");
    check(strcmp(result->body, "Good morning, Ada!\n") == 0, "greets by the hour");
    check(isw_test_logged(result, "8 o'clock") != NULL, "says in the log how late it is");
    check(strcmp(result->spans[0].name, "logging") == 0, "runs through the chain");
    check(isw_test_http(test, "GET", "/greet")->http_status == 404, "wants a name");

    result = isw_test_invoke(test, "nap", NULL);
    check(result->duration_us == 3600000000, "naps for an hour, in no time");
    isw_test_cancel_after_ms(test, 60 * 1000);
    result = isw_test_invoke(test, "nap", NULL);
    check(result->outcome == ISW_OUTCOME_CANCELLED && result->duration_us == 60000000,
          "wakes after a minute when the caller leaves");
    isw_test_destroy(test);
    return failed != 0;
}
