/* SPDX-License-Identifier: Apache-2.0 */
#include "url/networks.h"

#include "base/alloc.h"

#include <arpa/inet.h>

enum { BITS = 128, V4_BITS = 32, V4_AT = 12 };

/* -- Addresses --------------------------------------------------------------------------------- */

iswi_ip iswi_ip_of(const void *bytes, size_t size)
{
    iswi_ip ip = { { 0 } };

    if (size == 4)
        ip.bytes[10] = ip.bytes[11] = 0xff;
    memcpy(ip.bytes + (size == 4 ? V4_AT : 0), bytes, size == 4 ? 4 : sizeof ip.bytes);
    return ip;
}

bool iswi_ip_read(isw_str text, iswi_ip *out)
{
    char copy[ISWI_IP_BYTES];
    uint8_t bytes[16];
    bool v6 = text.size && memchr(text.data, ':', text.size);

    if (!text.size || text.size >= sizeof copy || memchr(text.data, '\0', text.size))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, bytes) != 1)
        return false;
    *out = iswi_ip_of(bytes, v6 ? 16 : 4);
    return true;
}

static bool is_v4(const iswi_ip *ip)
{
    static const uint8_t start[V4_AT] = { [10] = 0xff, [11] = 0xff };

    return memcmp(ip->bytes, start, sizeof start) == 0;
}

size_t iswi_ip_write(const iswi_ip *ip, char out[ISWI_IP_BYTES])
{
    bool v4 = is_v4(ip);

    inet_ntop(v4 ? AF_INET : AF_INET6, ip->bytes + (v4 ? V4_AT : 0), out, ISWI_IP_BYTES);
    return strlen(out);
}

/* -- Networks ---------------------------------------------------------------------------------- */

static bool lies_in(const iswi_ip *ip, const iswi_network *network)
{
    size_t whole = network->bits / 8;
    unsigned mask = 0xffu << (8 - network->bits % 8) & 0xffu;

    if (memcmp(ip->bytes, network->first.bytes, whole) != 0)
        return false;
    return network->bits % 8 == 0 ||
           ((ip->bytes[whole] ^ network->first.bytes[whole]) & mask) == 0;
}

bool iswi_networks_have(const iswi_networks *networks, const iswi_ip *ip)
{
    for (size_t i = 0; i < networks->count; i++)
        if (lies_in(ip, &networks->items[i]))
            return true;
    return false;
}

/* How many bits a text behind the slash says, of `most`; above that for what is no number. */
static unsigned read_bits(isw_str text, unsigned most)
{
    unsigned bits = 0;

    if (!text.size || text.size > 3 || (text.size > 1 && text.data[0] == '0'))
        return most + 1;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return most + 1;
        bits = bits * 10 + (unsigned)(text.data[i] - '0');
    }
    return bits;
}

/* The first address of a network has no bit beside those that all share. */
static bool is_first(const iswi_network *network)
{
    for (unsigned bit = network->bits; bit < BITS; bit++)
        if (network->first.bytes[bit / 8] & 0x80u >> bit % 8)
            return false;
    return true;
}

static void go_to_first(iswi_network *network)
{
    for (unsigned bit = network->bits; bit < BITS; bit++)
        network->first.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
}

static isw_status read_one(const char *text, iswi_network *out, isw_error *error)
{
    const char *slash = strchr(text, '/');
    isw_str address = { text, slash ? (size_t)(slash - text) : strlen(text) };
    bool v4 = !memchr(text, ':', address.size);
    unsigned most = v4 ? V4_BITS : BITS;
    unsigned bits = slash ? read_bits(isw_str_of(slash + 1), most) : most;
    char meant[ISWI_IP_BYTES];

    if (!iswi_ip_read(address, &out->first) || bits > most)
        return isw_error_set(error, ISW_E_CONFIG,
                             "\"%s\" is no network; write an address such as ::1, a network such "
                             "as 10.0.0.0/8, or unix for who comes by a Unix socket", text);
    out->bits = bits + BITS - most;
    if (is_first(out))
        return ISW_OK;
    go_to_first(out);
    iswi_ip_write(&out->first, meant);
    return isw_error_set(error, ISW_E_CONFIG,
                         "\"%s\" is an address within a network; write that as %s/%u", text, meant,
                         bits);
}

isw_status iswi_networks_read(const char *const *texts, size_t count, iswi_networks *out,
                              size_t *bad, isw_error *error)
{
    iswi_networks all = { iswi_calloc(count + 1, sizeof *all.items), 0, false };
    isw_status status = ISW_OK;

    if (!all.items)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for networks");
    for (size_t i = 0; status == ISW_OK && i < count; i++) {
        if (strcmp(texts[i], "unix") == 0)
            all.local = true;
        else
            status = read_one(texts[i], &all.items[all.count++], error);
        *bad = i;
    }
    if (status == ISW_OK)
        *out = all;
    else
        iswi_networks_fini(&all);
    return status;
}

void iswi_networks_fini(iswi_networks *networks)
{
    iswi_free(networks->items);
    *networks = (iswi_networks){ NULL, 0, false };
}
