/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a worker does to the memory that it shares with a live host, while that host
 * serves another worker. The other one must not notice: each of its calls succeeds, with the right
 * bytes; each call to the attacker is answered once, somehow; and the attacker starts again, fresh
 * for the next input. In live_ring/, live.h is the host, attacker.h the worker, script.h the input.
 */
#include "fuzz/live_ring/live.h"
#include "fuzz/live_ring/script.h"

#include "base/clock.h"

#include <poll.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many lives in a row may end without an answer: host.yaml's give_up_after is far above. */
enum { EARLY_MAX = 100 };

static const int64_t patience_ns = 15 * (int64_t)1000000000;

/* libFuzzer calls this before it starts threads. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    live_start();
    return 0;
}

/* A life begins: play by the rules until one call is answered, which also shows that nothing of
 * the life before is left. */
static void become_ready(attacker *a)
{
    int64_t until = iswi_now_ns() + patience_ns;

    while (!live_attacker_is_ready()) {
        live_must(iswi_now_ns() < until, "a fresh attacker did not become ready");
        attacker_listen(a);
        attacker_wait(a);
    }
    live_call_attacker("greeted", 10);
    while (!live_attacker_answers()) {
        live_must(iswi_now_ns() < until, "a fresh attacker's answer did not come");
        attacker_wait(a);
        attacker_listen(a);
        attacker_answer(a);
    }
    live_must(live_await_attacker() == 1, "a fresh attacker's answer was not taken");
}

/* End the process; until the next one calls, there may still be somebody who has the memory. */
static void haunt(const script *s, attacker *a)
{
    struct pollfd next = { .fd = live_lifeline(), .events = POLLIN };
    int64_t until = iswi_now_ns() + patience_ns;

    attacker_release(a);
    while (poll(&next, 1, s->haunt ? 0 : 100) != 1) {
        live_must(iswi_now_ns() < until, "the attacker was not started again");
        script_haunt(s, a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int early_in_a_row;
    script s = script_begin(data, size);
    attacker a;

    live_start();
    early_in_a_row = s.early ? early_in_a_row + 1 : 0;
    live_must(attacker_meet(&a, live_lifeline(), patience_ns), "no attacker called");
    if (!s.early || early_in_a_row % EARLY_MAX == 0)
        become_ready(&a);
    live_start_echoes(s.large);
    script_run(&s, &a);
    haunt(&s, &a);
    live_stop_echoes();
    live_await_attacker();
    attacker_forget(&a);
    live_check();
    return 0;
}
