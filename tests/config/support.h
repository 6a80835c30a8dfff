/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_CONFIG_SUPPORT_H
#define ISW_TESTS_CONFIG_SUPPORT_H

/* Open and load a text under the name "dir/c.yaml", or see it refused with exactly one message. */
#include "support/main.h"

#include "config/table.h"

#include <stdio.h>
#include <stdlib.h>

static inline iswi_config *opened(const char *text)
{
    iswi_config *config = NULL;
    isw_error error = { 0 };

    if (iswi_config_open_text("dir/c.yaml", text, strlen(text), NULL, &config, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return config;
}

static inline const sample *loaded(iswi_config *config)
{
    const void *out = NULL;
    isw_error error = { 0 };

    if (iswi_config_load(config, sample_table, sizeof(sample), &out, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return out;
}

static inline void refused_bytes(const char *text, size_t size, const char *message)
{
    iswi_config *config = NULL;
    const void *out = NULL;
    isw_error error = { 0 };

    if (iswi_config_open_text("c.yaml", text, size, NULL, &config, &error) == ISW_OK)
        iswi_config_load(config, sample_table, sizeof(sample), &out, &error);
    assert_string_equal(error.message, message);
    assert_int_equal(error.status, ISW_E_CONFIG);
    assert_null(out);
    iswi_config_close(config);
}

static inline void refused(const char *text, const char *message)
{
    refused_bytes(text, strlen(text), message);
}

#endif
