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

/* Ten digits of milliseconds and sixteen that are random, of five bits each, in Crockford's base 32
 * (https://github.com/ulid/spec). */
void iswi_ulid(int64_t now_ms, char out[ISWI_ULID_BYTES])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char random[16] = { 0 };
    uint64_t time = (uint64_t)now_ms;

    iswi_random(random, sizeof random);
    for (int i = 9; i >= 0; i--, time >>= 5)
        out[i] = digits[time & 31];
    for (int i = 0; i < 16; i++)
        out[10 + i] = digits[random[i] & 31];
    out[26] = '\0';
}
