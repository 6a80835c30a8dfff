/* SPDX-License-Identifier: Apache-2.0 */
/* Any lines as networks, and as addresses: what is read is written and read the same again, and a
 * network has its first address. */
#include "url/networks.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void try_address(isw_str text)
{
    char written[ISWI_IP_BYTES];
    iswi_ip ip, again;

    if (!iswi_ip_read(text, &ip))
        return;
    must(iswi_ip_write(&ip, written) < sizeof written);
    must(iswi_ip_read(isw_str_of(written), &again) && memcmp(&ip, &again, sizeof ip) == 0);
}

static void try_network(const char *text)
{
    isw_error error = { ISW_OK, "" };
    iswi_networks all;
    size_t bad = 7;

    if (iswi_networks_read(&text, 1, &all, &bad, &error) != ISW_OK) {
        must(error.status == ISW_E_CONFIG && error.message[0] && bad == 0);
        return;
    }
    must(all.local != (all.count == 1));
    if (all.count)
        must(all.items[0].bits <= 128 && iswi_networks_have(&all, &all.items[0].first));
    iswi_networks_fini(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    try_address((isw_str){ text, size });
    try_network(text);
    free(text);
    return 0;
}
