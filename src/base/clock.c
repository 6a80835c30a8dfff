/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic and wall time, and the kernel's random bytes. */
#include "base/clock.h"

#include <isoworker/cancel.h>
#include <stdatomic.h>
#include <sys/random.h>
#include <time.h>

/* What a test says the time is; 0: nothing. */
static atomic_llong fake_now_ns;
static atomic_llong fake_wall_us;

void iswi_clock_fake(int64_t now_ns, int64_t wall_us)
{
    atomic_store(&fake_wall_us, wall_us);
    atomic_store(&fake_now_ns, now_ns);
}

void iswi_clock_real(void)
{
    atomic_store(&fake_now_ns, 0);
}

bool iswi_clock_is_fake(void)
{
    return atomic_load_explicit(&fake_now_ns, memory_order_relaxed) != 0;
}

static int64_t read_monotonic(clockid_t clock)
{
    int64_t fake = atomic_load_explicit(&fake_now_ns, memory_order_relaxed);
    struct timespec now;

    if (fake)
        return fake;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t iswi_now_ns(void)
{
    return read_monotonic(CLOCK_MONOTONIC);
}

int64_t iswi_lately_ns(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
    return read_monotonic(CLOCK_MONOTONIC_COARSE);
#else
    return read_monotonic(CLOCK_MONOTONIC);
#endif
}

int64_t isw_now_us(void)
{
    return iswi_now_ns() / 1000;
}

int64_t iswi_wall_us(void)
{
    struct timespec now;

    if (iswi_clock_is_fake())
        return atomic_load(&fake_wall_us);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool iswi_random(void *bytes, size_t size)
{
    unsigned char *at = bytes;

    while (size) {
        ssize_t got = getrandom(at, size, 0);

        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void iswi_hex(const void *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[at[i] >> 4];
        out[2 * i + 1] = digits[at[i] & 15];
    }
    out[2 * size] = '\0';
}
