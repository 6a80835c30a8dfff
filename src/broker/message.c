/* SPDX-License-Identifier: Apache-2.0 */
/* What all drivers make: deliveries, and names of messages that have none. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/driver.h"

enum { DELIVERY_BLOCK_BYTES = 512 };

iswi_delivery *iswi_delivery_create(void)
{
    iswi_delivery *delivery = iswi_calloc(1, sizeof *delivery);

    if (delivery)
        iswi_arena_init(&delivery->arena, DELIVERY_BLOCK_BYTES);
    return delivery;
}

void iswi_delivery_free(iswi_delivery *delivery)
{
    if (!delivery)
        return;
    if (delivery->handle && delivery->free_handle)
        delivery->free_handle(delivery->handle);
    iswi_arena_fini(&delivery->arena);
    iswi_free(delivery);
}

/* Digits of five bits each, in Crockford's base 32. */
static void write_digits(uint64_t number, int count, char *out)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    for (int i = count - 1; i >= 0; i--, number >>= 5)
        out[i] = digits[number & 31];
}

/* Ten digits of milliseconds, and sixteen (https://github.com/ulid/spec). */
void iswi_ulid_of(int64_t now_ms, uint64_t high, uint64_t low, char out[ISWI_ULID_BYTES])
{
    write_digits((uint64_t)now_ms, 10, out);
    write_digits(high, 8, &out[10]);
    write_digits(low, 8, &out[18]);
    out[26] = '\0';
}

void iswi_ulid(int64_t now_ms, char out[ISWI_ULID_BYTES])
{
    uint64_t random[2] = { 0 };

    iswi_random(random, sizeof random);
    iswi_ulid_of(now_ms, random[0], random[1], out);
}
