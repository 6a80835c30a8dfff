/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_APP_TEST_H
#define ISW_TESTS_SUPPORT_APP_TEST_H

/* An application under <isoworker/testing.h>, whose test is the caller's to destroy. */
#include "support/main.h"

#include <isoworker/isoworker.h>
#include <isoworker/testing.h>

static inline isw_test *app_test(const isw_app *app, const char *yaml)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = NULL;
    isw_test *test = NULL;
    isw_error error = { 0 };

    options.config_text = yaml;
    if (isw_worker_create(&options, &worker, &error) != ISW_OK ||
        isw_worker_add_app(worker, app, &error) != ISW_OK ||
        isw_test_create(worker, &test, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return test;
}

#endif
