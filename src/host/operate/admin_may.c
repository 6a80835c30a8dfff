/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask what. Nobody is asked for a password here: so the endpoints listen on this machine
 * alone unless host.yaml says `open`, what changes anything or shows what functions are given is
 * for this machine alone in any case, and a browser that was led here by another site is turned
 * away: by its Origin, and by a Host that is not local.
 */
#include "host/engine/look.h"
#include "host/operate/admin.h"
#include "host/system/address.h"

#include <stdio.h>

static bool starts_with(isw_str text, const char *start)
{
    return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* A name that no site of the network can make lead here. */
static bool is_local_name(const isw_str *host)
{
    char address[64];
    iswi_address named;
    const char *colon;

    if (!host || host->size >= sizeof address - sizeof ":0")
        return false;
    colon = memchr(host->data, ':', host->size);
    snprintf(address, sizeof address, "%.*s%s", (int)host->size, host->data,
             colon && host->data[host->size - 1] != ']' ? "" : ":0");
    return iswi_address_read(address, "", &named, NULL) == ISW_OK &&
           named.kind == ISWI_ADDRESS_IP && iswi_address_reach(&named) == ISWI_REACH_HERE;
}

static bool is_local_client(isw_str client)
{
    return starts_with(client, "127.") || isw_str_equal(client, isw_str_of("::1")) ||
           starts_with(client, "::ffff:127.") || isw_str_equal(client, isw_str_of("unix"));
}

const char *iswi_admin_refusal(const iswi_host *host, bool guarded, const isw_http *data)
{
    bool reads = isw_str_equal(data->method, isw_str_of("GET")) ||
                 isw_str_equal(data->method, isw_str_of("HEAD"));

    if (reads && iswi_host_settings_of(host)->admin.open && !guarded)
        return NULL;
    if (!is_local_name(isw_pairs_find(&data->headers, "host")))
        return "The Host field is not of this machine; ask for localhost or 127.0.0.1.";
    if (reads && !guarded)
        return NULL;
    if (!is_local_client(data->client))
        return "Only this machine may ask for that.";
    return isw_pairs_find(&data->headers, "origin") ? "Pages of browsers may not ask for that."
                                                    : NULL;
}
