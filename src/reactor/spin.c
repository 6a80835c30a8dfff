/* SPDX-License-Identifier: Apache-2.0 */
/* The budget learns from how soon work arrives: it is never longer than what a wake costs, for who
 * waits longer than that pays more awake than asleep. */
#include "reactor/spin.h"

#include "base/clock.h"

#include <sched.h>

enum {
    MOST_NS = 30000,    /* about a wake of a core that sleeps, seen from both sides */
    PROBE_NS = 50000,   /* of a try: the other side may be asleep, too, and begins to stay awake */
    LEAST_NS = 2000,
    CROWDED_NS = 1500,  /* a yield that takes longer has given the core to somebody */
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

/* Let whoever else wants this core have it, who has work to do, and we have not. Whether there was
 * somebody. */
static bool yield(int64_t *now_ns)
{
    int64_t before_ns = iswi_now_ns();

    sched_yield();
    *now_ns = iswi_now_ns();
    return *now_ns - before_ns > CROWDED_NS;
}

/* `crowded` says whether more wanted to be awake than there are cores; then one that adapts looks no
 * longer. */
static bool look_for(const iswi_spin *spin, int64_t until_ns, iswi_spin_ready_fn ready,
                     void *user, const atomic_bool *stop, bool *crowded)
{
    int64_t now_ns;

    do {
        for (int i = 0; i < LOOKS; i++) {
            if (ready(user))
                return true;
            pause_cpu();
        }
        *crowded = yield(&now_ns);
    } while (now_ns < until_ns && !(*crowded && spin->adaptive) &&
             !atomic_load_explicit(stop, memory_order_relaxed));
    return ready(user);
}

/* Work came after that time, or not at all (-1). */
static void learn(iswi_spin *spin, int64_t took_ns)
{
    int64_t budget = spin->budget_ns / 2;

    if (took_ns >= 0 && took_ns <= MOST_NS) {
        budget = spin->budget_ns > took_ns ? spin->budget_ns * 2 : took_ns * 2;
        if (budget < LEAST_NS)
            budget = LEAST_NS;
    } else if (budget < LEAST_NS) {
        budget = 0;
    }
    spin->budget_ns = budget < MOST_NS ? budget : MOST_NS;
}

bool iswi_spin_until_ready(iswi_spin *spin, iswi_spin_ready_fn ready, void *user,
                           const atomic_bool *stop)
{
    int64_t budget = spin->budget_ns;
    bool crowded = false;
    int64_t began_ns;
    bool found;

    if (!budget && spin->adaptive && ++spin->fruitless % PROBE_EVERY == 0)
        budget = PROBE_NS;
    if (!budget)
        return false;
    began_ns = iswi_now_ns();
    found = look_for(spin, began_ns + budget, ready, user, stop, &crowded);
    if (!spin->adaptive || (found && !crowded && budget == MOST_NS))
        return found; /* there is nothing to learn */
    learn(spin, found && !crowded ? iswi_now_ns() - began_ns : -1);
    return found;
}
