/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration, held to a table with a row of each option type. Whatever is refused
 * is refused with a sentence; libcyaml never refuses what the check let through. */
#include "config/table.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Read all that was loaded, for a sanitizer to see. */
static size_t touch(const sample *s)
{
    const sample_server *servers = s->servers.items;
    size_t sum = strlen(s->name) + (s->secret ? strlen(s->secret) : 0);

    must(s->port >= 1 && s->port <= 65535);
    must(s->level >= 0 && s->level <= 2);
    for (size_t i = 0; i < s->hosts.count; i++)
        sum += strlen(s->hosts.items[i]);
    for (size_t i = 0; i < s->servers.count; i++)
        sum += strlen(servers[i].host) + servers[i].steps.count;
    for (size_t i = 0; i < s->steps.count; i++) {
        const iswi_named_entry *entry = &s->steps.items[i];

        must(entry->row && entry->options && entry->node);
        if (entry->row->group == sample_auth_table)
            sum += strlen(((const sample_auth *)entry->options)->issuer);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    iswi_config *config = NULL;
    const void *out = NULL;
    isw_error error = { 0 };
    isw_status status;

    setenv("A", "value of a", 1);
    status = iswi_config_open_text("fuzz.yaml", (const char *)data, size, NULL, &config, &error);
    if (status == ISW_OK)
        status = iswi_config_load(config, sample_table, sizeof(sample), &out, &error);
    if (status == ISW_OK)
        must(touch(out) < SIZE_MAX);
    else
        must(status == ISW_E_CONFIG && error.status == status && error.message[0]);
    iswi_config_close(config);
    return 0;
}
