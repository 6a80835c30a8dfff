/* SPDX-License-Identifier: Apache-2.0 */
/* The budget learns from how soon work arrives. */
#include "reactor/spin.h"

#include "base/clock.h"

#include <sched.h>

enum {
    MOST_NS = 100000,
    LEAST_NS = 2000,
    PROBE_EVERY = 64, /* sleeps between two tries of a spin that did not pay off */
    LOOKS = 64        /* between two looks at the clock */
};

static bool one_core_only(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < 2;
}

void iswi_spin_init(iswi_spin *spin, int64_t spin_us)
{
    bool possible = !one_core_only();

    spin->adaptive = possible && spin_us < 0;
    spin->budget_ns = spin->adaptive ? MOST_NS / 2 : possible ? spin_us * 1000 : 0;
    spin->fruitless = 0;
}

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool look_for(int64_t budget_ns, iswi_spin_ready_fn ready, void *user,
                     const atomic_bool *stop)
{
    int64_t until = iswi_now_ns() + budget_ns;

    do {
        for (int i = 0; i < LOOKS; i++) {
            if (ready(user))
                return true;
            pause_cpu();
        }
        sched_yield(); /* whoever else wants this core has work to do, and we have not */
    } while (iswi_now_ns() < until && !atomic_load_explicit(stop, memory_order_relaxed));
    return ready(user);
}

static void learn(iswi_spin *spin, bool paid_off)
{
    int64_t budget = paid_off ? spin->budget_ns * 2 : spin->budget_ns / 2;

    if (budget < LEAST_NS)
        budget = paid_off ? LEAST_NS : 0;
    spin->budget_ns = budget < MOST_NS ? budget : MOST_NS;
}

bool iswi_spin_until_ready(iswi_spin *spin, iswi_spin_ready_fn ready, void *user,
                           const atomic_bool *stop)
{
    int64_t budget = spin->budget_ns;
    bool found;

    if (!budget && spin->adaptive && ++spin->fruitless % PROBE_EVERY == 0)
        budget = MOST_NS / 2;
    if (!budget)
        return false;
    found = look_for(budget, ready, user, stop);
    if (spin->adaptive)
        learn(spin, found);
    return found;
}
